#include "cli/parse.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>
#include <set>

namespace barnabas::cli {

namespace {

// What a call of an unknown command is told.
std::string unknown_command(std::span<const std::string_view> words) {
  std::vector<std::string_view> candidates;
  bool known_noun = false;
  for (const Noun& noun : nouns()) known_noun |= noun.name == words[0];
  std::string_view wrong = words[0];
  if (known_noun && words.size() > 1) {
    wrong = words[1];
    for (const Command& command : commands()) {
      if (command.path.starts_with(words[0]) && command.path.size() > words[0].size() && !command.hidden) {
        candidates.push_back(command.path.substr(words[0].size() + 1));
      }
    }
  } else {
    for (const Noun& noun : nouns()) candidates.push_back(noun.name);
  }
  std::string_view near = nearest(wrong, candidates);
  std::string named = known_noun && words.size() > 1 ? fmt::format("{} {}", words[0], wrong) : std::string(wrong);
  std::string text = fmt::format("there is no command '{}'", named);
  if (!near.empty()) text += fmt::format("; did you mean '{}'?", near);
  return text;
}

std::string option_name(const Flag& flag) {
  std::string name;
  if (flag.letter != 0) name = fmt::format("-{},", flag.letter);
  return name + (flag.name.size() == 1 ? fmt::format("-{}", flag.name) : fmt::format("--{}", flag.name));
}

struct Bound {
  const Flag* flag = nullptr;
  CLI::Option* option = nullptr;
  std::vector<std::string> values;
};

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (std::string_view candidate : candidates) {
    std::vector<size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < word.size(); ++i) {
      size_t diagonal = row[0]++;
      for (size_t j = 0; j < candidate.size(); ++j) {
        size_t changed = diagonal + (word[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, changed});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

std::expected<Parsed, std::string> parse(std::span<const std::string_view> arguments) {
  Parsed parsed;
  size_t words = 0;
  while (words < arguments.size() && words < 2 && !arguments[words].starts_with("-")) ++words;
  if (words == 0) {
    if (arguments.empty() || arguments[0] == "-h" || arguments[0] == "--help") return parsed;
    return std::unexpected(fmt::format("a command is expected before {}", arguments[0]));
  }
  auto named = arguments.first(words);
  const Command* command = find_command(named);
  if (command == nullptr && words == 2) {  // a command of one word and its first positional
    command = find_command(named.first(1));
    if (command != nullptr) words = 1;
  }
  if (command == nullptr) {
    bool noun_alone =
        words == 1 && std::ranges::any_of(nouns(), [&](const Noun& noun) { return noun.name == named[0]; });
    if (!noun_alone) return std::unexpected(unknown_command(named));
    parsed.noun = named[0];
    bool asked = arguments.size() > words && (arguments[words] == "-h" || arguments[words] == "--help");
    if (asked) return parsed;
    return std::unexpected(fmt::format("'{}' needs a verb; see `barnabas {} --help`", named[0], named[0]));
  }
  parsed.command = command;

  CLI::App app;
  app.set_help_flag();
  app.allow_extras(false);
  std::vector<Bound> bound(command->flags.size() + common_flags().size() + connection_flags().size());
  size_t used = 0;
  auto add = [&](const Flag& flag) {
    Bound& slot = bound[used++];
    slot.flag = &flag;
    if (flag.value.empty()) {
      slot.option = app.add_flag(option_name(flag));
      return;
    }
    slot.option = app.add_option(option_name(flag), slot.values)->expected(1);
    slot.option->multi_option_policy(flag.repeated ? CLI::MultiOptionPolicy::TakeAll
                                                   : CLI::MultiOptionPolicy::TakeLast);
    slot.option->allow_extra_args(false);
    if (flag.choices.empty()) return;
    std::set<std::string> choices(flag.choices.begin(), flag.choices.end());
    slot.option->check([choices](const std::string& value) {
      if (choices.contains(value)) return std::string();
      return fmt::format("'{}' is not one of {}", value, fmt::join(choices, ", "));
    });
  };
  for (const Flag& flag : command->flags) add(flag);
  std::set<std::string_view> own;
  for (const Flag& flag : command->flags) own.insert(flag.name);
  for (const Flag& flag : common_flags()) {
    if (!own.contains(flag.name)) add(flag);
  }
  if (command->connects) {
    for (const Flag& flag : connection_flags()) {
      if (!own.contains(flag.name)) add(flag);
    }
  }
  std::vector<std::vector<std::string>> positionals(command->positionals.size());
  for (size_t i = 0; i < positionals.size(); ++i) {
    const Positional& positional = command->positionals[i];
    auto* option = app.add_option(std::string(positional.name), positionals[i]);
    option->expected(positional.required ? 1 : 0, positional.repeated ? 1 << 20 : 1);
  }
  std::vector<std::string> rest;
  for (auto argument : arguments.subspan(words)) rest.emplace_back(argument);
  std::ranges::reverse(rest);  // as CLI11 wants it
  try {
    app.parse(rest);
  } catch (const CLI::ExtrasError& error) {
    std::string_view wrong = error.what();
    std::vector<std::string> names;
    for (const Bound& slot : bound) {
      if (slot.flag != nullptr) names.push_back("--" + std::string(slot.flag->name));
    }
    std::string first;
    for (auto argument : arguments.subspan(words)) {
      bool known = !argument.starts_with("--") ||
                   std::ranges::find(names, argument.substr(0, argument.find('='))) != names.end();
      if (!known && first.empty()) first = argument.substr(0, argument.find('='));
    }
    if (first.empty()) return std::unexpected(fmt::format("too many arguments: {}", wrong));
    std::vector<std::string_view> views(names.begin(), names.end());
    std::string_view near = nearest(first, views);
    return std::unexpected(near.empty() ? fmt::format("there is no flag {}", first)
                                        : fmt::format("there is no flag {}; did you mean {}?", first, near));
  } catch (const CLI::ParseError& error) {
    std::string sentence = error.what();
    for (const Bound& slot : bound) {
      if (slot.flag != nullptr && slot.flag->name == "help" && slot.option->count() > 0) parsed.help = true;
    }
    if (!parsed.help) return std::unexpected(sentence);
  }
  for (Bound& slot : bound) {
    if (slot.flag == nullptr || slot.option->count() == 0) continue;
    if (slot.flag->name == "help") parsed.help = true;
    parsed.values[std::string(slot.flag->name)] = std::move(slot.values);
  }
  if (parsed.help) return parsed;
  for (size_t i = 0; i < positionals.size(); ++i) {
    if (positionals[i].empty() && command->positionals[i].required) {
      return std::unexpected(fmt::format("{} is missing", command->positionals[i].name));
    }
    if (!positionals[i].empty()) parsed.values[std::string(command->positionals[i].name)] = std::move(positionals[i]);
  }
  return parsed;
}

}  // namespace barnabas::cli
