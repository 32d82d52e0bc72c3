#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"

namespace barnabas::cli {

namespace {

std::string upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

std::string flag_cell(const Flag& flag) {
  return (flag.letter != 0 && flag.name.size() > 1 ? "" : "    ") + flag_form(flag);
}

void put_rows(std::string& out, const std::vector<std::pair<std::string, std::string>>& rows) {
  size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, display_width(left));
  for (const auto& [left, right] : rows) {
    out += fmt::format("  {}{}{}\n", left, std::string(width - display_width(left) + 2, ' '), right);
  }
}

void put_flags(std::string& out, std::string_view title, const std::vector<Flag>& flags) {
  if (flags.empty()) return;
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Flag& flag : flags) rows.emplace_back(flag_cell(flag), flag_help(flag));
  out += fmt::format("\n{}:\n", title);
  put_rows(out, rows);
}

Value flags_value(std::span<const Flag> flags) {
  Value::List list;
  for (const Flag& flag : flags) {
    Value row;
    row.add("name", flag.name).add("help", flag.help);
    if (flag.letter != 0) row.add("letter", std::string(1, flag.letter));
    if (!flag.value.empty()) row.add("value", flag.value);
    if (!flag.default_value.empty()) row.add("default", flag.default_value);
    if (flag.repeated) row.add("repeated", true);
    if (!flag.choices.empty()) row.add("choices", Value::List(flag.choices.begin(), flag.choices.end()));
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace

std::string flag_form(const Flag& flag) {
  std::string text = flag.letter != 0 && flag.name.size() > 1 ? fmt::format("-{}, ", flag.letter) : "";
  text += flag.name.size() == 1 ? fmt::format("-{}", flag.name) : fmt::format("--{}", flag.name);
  return flag.value.empty() ? text : text + fmt::format(" {}", flag.value);
}

std::string flag_help(const Flag& flag) {
  std::string text(flag.help);
  if (!flag.default_value.empty()) text += fmt::format(" (default {})", flag.default_value);
  if (flag.repeated) text += "; may be repeated";
  return text;
}

std::vector<Flag> flags_not_own(const Command& command, std::span<const Flag> flags) {
  std::vector<Flag> others;
  for (const Flag& flag : flags) {
    bool own = std::ranges::any_of(command.flags, [&](const Flag& other) { return other.name == flag.name; });
    if (!own) others.push_back(flag);
  }
  return others;
}

std::string usage_line(const Command& command) {
  std::string line = fmt::format("barnabas {}", command.path);
  for (const Positional& positional : command.positionals) {
    std::string name = upper(positional.name) + (positional.repeated ? "..." : "");
    line += positional.required ? " " + name : " [" + name + "]";
  }
  return line + " [flags]";
}

std::string help_overview() {
  std::string out = "Barnabas: Kafka in one native binary, and a command line for any Kafka cluster.\n\n";
  out += "Usage: barnabas COMMAND [flags]\n\nCommands:\n";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Noun& noun : nouns()) rows.emplace_back(noun.name, noun.summary);
  put_rows(out, rows);
  return out + "\n`barnabas help COMMAND` says more; every command has --help.\n";
}

std::string help_on_noun(std::string_view noun) {
  std::string out;
  for (const Noun& each : nouns()) {
    if (each.name == noun) out = fmt::format("{}.\n\nUsage: barnabas {} VERB [flags]\n\nVerbs:\n", each.summary, noun);
  }
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Command* command : commands_of(noun)) {
    size_t verb = command->path.find(' ');
    if (verb != std::string_view::npos) rows.emplace_back(command->path.substr(verb + 1), command->summary);
  }
  put_rows(out, rows);
  return out + fmt::format("\n`barnabas {} VERB --help` says more.\n", noun);
}

std::string help_on(const Command& command) {
  std::string out = fmt::format("{}.\n\nUsage: {}\n", command.summary, usage_line(command));
  if (!command.positionals.empty()) {
    out += "\nArguments:\n";
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Positional& positional : command.positionals) rows.emplace_back(upper(positional.name), positional.help);
    put_rows(out, rows);
  }
  put_flags(out, "Flags", command.flags);
  if (command.connects) put_flags(out, "Which cluster", flags_not_own(command, connection_flags()));
  put_flags(out, "Common flags", flags_not_own(command, common_flags()));
  if (!command.text.empty()) out += fmt::format("\n{}\n", command.text);
  if (!command.examples.empty()) {
    out += "\nExamples:\n";
    for (const Example& example : command.examples) {
      out += fmt::format("  # {}\n  barnabas {}\n", example.what, example.command);
    }
  }
  if (!command.aliases.empty()) out += fmt::format("\nAlso: {}\n", fmt::join(command.aliases, ", "));
  return out;
}

Value command_value(const Command& command) {
  Value row;
  row.add("path", command.path).add("summary", command.summary);
  row.add("aliases", Value::List(command.aliases.begin(), command.aliases.end()));
  Value::List positionals;
  for (const Positional& positional : command.positionals) {
    Value item;
    item.add("name", positional.name).add("help", positional.help);
    item.add("required", positional.required).add("repeated", positional.repeated);
    if (!positional.choices.empty()) {
      item.add("choices", Value::List(positional.choices.begin(), positional.choices.end()));
    }
    positionals.push_back(std::move(item));
  }
  row.add("positionals", std::move(positionals)).add("flags", flags_value(command.flags));
  Value::List examples;
  for (const Example& example : command.examples) {
    examples.push_back(
        Value(Value::Object{{"command", fmt::format("barnabas {}", example.command)}, {"what", example.what}}));
  }
  row.add("examples", std::move(examples)).add("text", command.text).add("connects", command.connects);
  return row;
}

std::string help_json() {
  Value::List rows;
  for (const Command& command : commands()) {
    if (!command.hidden) rows.push_back(command_value(command));
  }
  Value document;
  document.add("_v", 1).add("commands", std::move(rows));
  document.add("connection_flags", flags_value(connection_flags())).add("common_flags", flags_value(common_flags()));
  return document.to_json(2) + "\n";
}

}  // namespace barnabas::cli
