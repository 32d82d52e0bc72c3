// Options: the grammar of most of Kafka's own tools (jopt-simple, without abbreviations), as their shims need it:
// `--name value`, `--name=value`, `-name value`, options with an optional argument, `--` before plain words. A tool
// describes its options in a table; the usage text is made of it.
#pragma once

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace barnabas::cli::shims {

enum class Argument { kNone, kRequired, kOptional };
enum class Type { kString, kInteger, kLong };

struct Option {
  std::string_view name;
  std::string_view help = {};
  Argument argument = Argument::kNone;
  Type type = Type::kString;
  std::string_view described_as = {};  // what stands for the argument in the usage text
  std::string_view default_value = {};
};

// Shorter rows for tables of options.
constexpr Option flag(std::string_view name, std::string_view help) {
  return {.name = name, .help = help};
}
constexpr Option text(std::string_view name, std::string_view described_as, std::string_view help,
                      std::string_view default_value = {}) {
  return {name, help, Argument::kRequired, Type::kString, described_as, default_value};
}
constexpr Option integer(std::string_view name, std::string_view described_as, std::string_view help,
                         std::string_view default_value = {}) {
  return {name, help, Argument::kRequired, Type::kInteger, described_as, default_value};
}
constexpr Option long_integer(std::string_view name, std::string_view described_as, std::string_view help,
                              std::string_view default_value = {}) {
  return {name, help, Argument::kRequired, Type::kLong, described_as, default_value};
}
constexpr Option maybe_text(std::string_view name, std::string_view described_as, std::string_view help,
                            std::string_view default_value = {}) {
  return {name, help, Argument::kOptional, Type::kString, described_as, default_value};
}

class Options {
 public:
  // The error is jopt's sentence: "x is not a recognized option". `table` outlives the options.
  static std::expected<Options, std::string> parse(std::span<const Option> table,
                                                   std::span<const std::string_view> arguments);

  bool empty() const { return empty_; }  // there was nothing on the command line
  bool has(std::string_view name) const { return values_.contains(name); }
  // The last argument, else the default, else "".
  std::string value(std::string_view name) const;
  std::optional<std::string> optional(std::string_view name) const;
  // The argument or the default as a number; fault() has said that it is one.
  std::optional<int64_t> number(std::string_view name) const;
  std::vector<std::string> values(std::string_view name) const;

  std::optional<std::string> fault(std::initializer_list<std::string_view> single = {}) const;

 private:
  std::span<const Option> table_;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  bool empty_ = true;
  std::optional<std::string> no_number_;
};

// "Option   Description" and the options in the order of their names, 80 columns.
std::string usage(std::span<const Option> table);

}  // namespace barnabas::cli::shims
