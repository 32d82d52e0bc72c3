// Parsing: from argv to a Command and its values. The first words name the command; flags of all commands may stand
// before them. "--name value", "--name=value", "-n value", "-nvalue", switches as "-wy", "--" before arguments that
// begin with a dash. Wrong usage is an error with the sentence to print.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/invocation.h"

namespace barnabas::cli {

struct Parsed {
  const Command* command = nullptr;  // null: help on `noun` ("" = everything) was asked for
  std::string noun;
  bool help = false;  // of the command
  Invocation::Values values;
};

// `arguments` without the program's name. The error is one sentence, and says what would be right.
std::expected<Parsed, std::string> parse(std::span<const std::string_view> arguments);

// The candidate that was meant by `word`, or "" when none is near. Commands and flags are short: one letter in three.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace barnabas::cli
