// What the command table says in words: help for a person, JSON for a program, manual pages.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"

namespace barnabas::cli {

std::string help_overview();
std::string help_on_noun(std::string_view noun);
std::string help_on(const Command& command);
// {"_v":1,"commands":[{"path":…,"flags":[…]}]}
std::string help_json();
// The command as help_json() has it.
Value command_value(const Command& command);
// "barnabas topic create TOPIC... [flags]".
std::string usage_line(const Command& command);
// "-p, --partitions N" and what is said about it.
std::string flag_form(const Flag& flag);
std::string flag_help(const Flag& flag);
// Those of `flags` that `command` does not define itself.
std::vector<Flag> flags_not_own(const Command& command, std::span<const Flag> flags);

// The reference of all commands, docs/cli.md.
std::string reference_document();

// Manual pages, as roff, by name: "barnabas", "barnabas-topic", "barnabas-topic-create".
std::vector<std::string> manual_page_names();
// The page, or nothing when there is none of that name.
std::optional<std::string> manual_page(std::string_view name);

// The script a shell loads: "bash", "zsh" or "fish".
std::string completion_script(std::string_view shell);

}  // namespace barnabas::cli
