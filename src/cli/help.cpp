#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"

namespace barnabas::cli {

namespace {

std::string flag_cell(const Flag& flag) {
  std::string text = flag.letter != 0 && flag.name.size() > 1 ? fmt::format("-{}, ", flag.letter) : "    ";
  text += flag.name.size() == 1 ? fmt::format("-{}", flag.name) : fmt::format("--{}", flag.name);
  if (!flag.value.empty()) text += fmt::format(" {}", flag.value);
  return text;
}

std::string flag_help(const Flag& flag) {
  std::string text(flag.help);
  if (!flag.default_value.empty()) text += fmt::format(" (default {})", flag.default_value);
  if (flag.repeated) text += "; may be repeated";
  return text;
}

void put_rows(std::string& out, const std::vector<std::pair<std::string, std::string>>& rows) {
  size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, display_width(left));
  for (const auto& [left, right] : rows) {
    out += fmt::format("  {}{}{}\n", left, std::string(width - display_width(left) + 2, ' '), right);
  }
}

void put_flags(std::string& out, std::string_view title, std::span<const Flag> flags, std::span<const Flag> shadowed) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Flag& flag : flags) {
    bool own = std::ranges::any_of(shadowed, [&](const Flag& other) { return other.name == flag.name; });
    if (!own) rows.emplace_back(flag_cell(flag), flag_help(flag));
  }
  if (rows.empty()) return;
  out += fmt::format("\n{}:\n", title);
  put_rows(out, rows);
}

std::string usage_line(const Command& command) {
  std::string line = fmt::format("barnabas {}", command.path);
  for (const Positional& positional : command.positionals) {
    std::string name;
    for (char c : positional.name) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (positional.repeated) name += "...";
    line += positional.required ? " " + name : " [" + name + "]";
  }
  return line + " [flags]";
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
  for (const Command& command : commands()) {
    if (command.path.starts_with(std::string(noun) + " ") && !command.hidden) {
      rows.emplace_back(command.path.substr(noun.size() + 1), command.summary);
    }
  }
  put_rows(out, rows);
  return out;
}

std::string help_on(const Command& command) {
  std::string out = fmt::format("{}.\n\nUsage: {}\n", command.summary, usage_line(command));
  if (!command.positionals.empty()) {
    out += "\nArguments:\n";
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Positional& positional : command.positionals) {
      std::string name;
      for (char c : positional.name) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      rows.emplace_back(std::move(name), positional.help);
    }
    put_rows(out, rows);
  }
  put_flags(out, "Flags", command.flags, {});
  if (command.connects) put_flags(out, "Which cluster", connection_flags(), command.flags);
  put_flags(out, "Common flags", common_flags(), command.flags);
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

std::string help_json() {
  Value::List rows;
  for (const Command& command : commands()) {
    if (command.hidden) continue;
    Value row;
    row.add("path", command.path).add("summary", command.summary);
    Value::List positionals;
    for (const Positional& positional : command.positionals) {
      Value item;
      item.add("name", positional.name).add("help", positional.help);
      item.add("required", positional.required).add("repeated", positional.repeated);
      positionals.push_back(std::move(item));
    }
    row.add("positionals", std::move(positionals)).add("flags", flags_value(command.flags));
    row.add("connects", command.connects);
    rows.push_back(std::move(row));
  }
  Value document;
  document.add("_v", 1).add("commands", std::move(rows));
  document.add("connection_flags", flags_value(connection_flags())).add("common_flags", flags_value(common_flags()));
  return document.to_json(2) + "\n";
}

}  // namespace barnabas::cli
