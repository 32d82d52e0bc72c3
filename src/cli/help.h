// What the command table says in words: help for a person, JSON for a program, manual pages.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"

namespace barnabas::cli {

std::string help_overview();
std::string help_on_noun(std::string_view noun);
std::string help_on(const Command& command);
// {"_v":1,"commands":[{"path":…,"flags":[…]}]}
std::string help_json();

}  // namespace barnabas::cli
