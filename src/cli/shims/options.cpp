#include "cli/shims/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace barnabas::cli::shims {

namespace {

const Option* find(std::span<const Option> table, std::string_view name) {
  auto found = std::ranges::find(table, name, &Option::name);
  return found == table.end() ? nullptr : &*found;
}

bool is_number(std::string_view text, Type type) {
  int64_t number = 0;
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  auto [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = failed == std::errc{} && stopped == text.data() + text.size() && !text.empty();
  return whole && (type == Type::kLong || (number >= INT32_MIN && number <= INT32_MAX));
}

std::string argument_text(const Option& option) {
  std::string_view type = option.type == Type::kInteger ? "Integer" : option.type == Type::kLong ? "Long" : "String";
  std::string inside = std::string(type);
  if (!option.described_as.empty()) inside += fmt::format(": {}", option.described_as);
  switch (option.argument) {
    case Argument::kRequired:
      return fmt::format(" <{}>", inside);
    case Argument::kOptional:
      return fmt::format(" [{}]", inside);
    case Argument::kNone:
      break;
  }
  return "";
}

// `text` in lines of `width`, those after the first indented by two.
std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::string_view paragraph = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(paragraph.size() + 1, text.size()));
    std::string line;
    bool first = true;
    while (!paragraph.empty()) {
      std::string_view word = paragraph.substr(0, paragraph.find(' '));
      paragraph.remove_prefix(std::min(word.size() + 1, paragraph.size()));
      if (!line.empty() && line.size() + 1 + word.size() > width) {
        lines.push_back(std::move(line));
        line.clear();
        first = false;
      }
      if (!line.empty()) line += ' ';
      if (line.empty() && !first) line = "  ";
      while (line.size() + word.size() > width) {  // a word that is too long for any line
        size_t fits = width - line.size();
        lines.push_back(line + std::string(word.substr(0, fits)));
        word.remove_prefix(fits);
        line = "  ";
        first = false;
      }
      line += word;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::expected<Options, std::string> Options::parse(std::span<const Option> table,
                                                   std::span<const std::string_view> arguments) {
  Options options;
  options.table_ = table;
  options.empty_ = arguments.empty();
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (word == "--") break;
    bool is_option = word.size() > 1 && word.starts_with('-');
    if (!is_option) continue;  // a plain word, which no tool asks for
    bool is_long = word.starts_with("--");
    std::string_view name = word.substr(is_long ? 2 : 1);
    std::optional<std::string_view> given;
    if (size_t equals = name.find('='); equals != std::string_view::npos) {
      given = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const Option* option = find(table, name);
    if (!option) {
      if (!is_long) name = name.substr(0, 1);
      return std::unexpected(fmt::format("{} is not a recognized option", name));
    }
    auto& values = options.values_[std::string(option->name)];
    if (option->argument == Argument::kNone) continue;
    if (!given && i + 1 < arguments.size()) {
      std::string_view next = arguments[i + 1];
      if (option->argument == Argument::kRequired || !next.starts_with('-') || next == "-") {
        given = next;
        ++i;
      }
    }
    if (!given && option->argument == Argument::kRequired) {
      return std::unexpected(fmt::format("Option {} requires an argument", option->name));
    }
    if (!given) continue;
    if (option->type != Type::kString && !is_number(*given, option->type)) {
      options.no_number_ = fmt::format("Cannot parse argument '{}' of option {}", *given, option->name);
    }
    values.emplace_back(*given);
  }
  return options;
}

std::optional<std::string> Options::optional(std::string_view name) const {
  auto found = values_.find(name);
  if (found != values_.end() && !found->second.empty()) return found->second.back();
  const Option* option = find(table_, name);
  if (option && !option->default_value.empty()) return std::string(option->default_value);
  return std::nullopt;
}

std::string Options::value(std::string_view name) const {
  return optional(name).value_or("");
}

std::optional<int64_t> Options::number(std::string_view name) const {
  auto given = optional(name);
  if (!given) return std::nullopt;
  std::string_view digits = *given;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::vector<std::string> Options::values(std::string_view name) const {
  auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

std::optional<std::string> Options::fault(std::initializer_list<std::string_view> single) const {
  if (no_number_) return no_number_;
  for (std::string_view name : single) {
    auto found = values_.find(name);
    if (found == values_.end() || found->second.size() < 2) continue;
    return fmt::format("Found multiple arguments for option {}, but you asked for only one", name);
  }
  return std::nullopt;
}

std::string usage(std::span<const Option> table) {
  constexpr size_t kWidth = 78;
  std::vector<const Option*> sorted;
  for (const Option& option : table) sorted.push_back(&option);
  std::ranges::sort(sorted, {}, &Option::name);
  size_t longest = 0;
  std::vector<std::string> names;
  for (const Option* option : sorted) {
    names.push_back(fmt::format("--{}{}", option->name, argument_text(*option)));
    longest = std::max(longest, names.back().size());
  }
  size_t left = std::min<size_t>(longest, kWidth / 2), right = kWidth - left;
  std::string out;
  auto row = [&](std::string_view a, std::string_view b) { out += fmt::format("{:<{}}  {:<{}}\n", a, left, b, right); };
  row("Option", "Description");
  row("------", "-----------");
  for (size_t i = 0; i < sorted.size(); ++i) {
    std::string help(sorted[i]->help);
    if (!sorted[i]->default_value.empty()) help += fmt::format(" (default: {})", sorted[i]->default_value);
    auto names_lines = wrap(names[i], left), help_lines = wrap(help, right);
    for (size_t line = 0; line < std::max(names_lines.size(), help_lines.size()); ++line) {
      row(line < names_lines.size() ? names_lines[line] : "", line < help_lines.size() ? help_lines[line] : "");
    }
  }
  return out;
}

}  // namespace barnabas::cli::shims
