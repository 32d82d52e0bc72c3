#include "log/file_names.h"

#include <charconv>

namespace barnabas::log {

namespace {
constexpr size_t kDigits = 20;
}

std::string file_name(Offset base, std::string_view suffix) {
  std::string digits = std::to_string(base.value);
  std::string name(kDigits - std::min(kDigits, digits.size()), '0');
  return name.append(digits).append(suffix);
}

std::optional<FileName> parse_file_name(std::string_view name) {
  if (name.size() <= kDigits || name[kDigits] != '.') return std::nullopt;
  FileName parsed{.base = Offset(-1), .suffix = name.substr(kDigits)};
  auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, parsed.base.value);
  if (error != std::errc() || end != name.data() + kDigits || parsed.base.value < 0) return std::nullopt;
  return parsed;
}

}  // namespace barnabas::log
