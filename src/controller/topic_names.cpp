#include "controller/topic_names.h"

#include <algorithm>

#include <fmt/format.h>

namespace barnabas::controller {

namespace {

constexpr size_t kMaxNameLength = 249;

bool legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::optional<std::string> topic_name_problem(std::string_view name) {
  std::string why;
  if (name.empty()) {
    why = "the empty string is not allowed";
  } else if (name == "." || name == "..") {
    why = fmt::format("'{}' is not allowed", name);
  } else if (name.size() > kMaxNameLength) {
    why = fmt::format("the length of '{}' is longer than the max allowed length {}", name, kMaxNameLength);
  } else if (!std::ranges::all_of(name, legal)) {
    why = fmt::format("'{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'", name);
  } else {
    return std::nullopt;
  }
  return "Topic name is invalid: " + why;
}

std::string collision_form(std::string_view name) {
  std::string form(name);
  std::ranges::replace(form, '.', '_');
  return form;
}

bool has_collision_chars(std::string_view name) {
  return name.find_first_of("._") != std::string_view::npos;
}

}  // namespace barnabas::controller
