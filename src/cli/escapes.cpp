#include "cli/escapes.h"

#include <fmt/format.h>

#include <charconv>

namespace barnabas::cli {

namespace {

constexpr size_t kDigits = 3;  // at most; more than a byte holds is cut, as kcat does

// Returns the digits used.
size_t append_number(std::string& out, std::string_view digits, int base) {
  digits = digits.substr(0, kDigits);
  unsigned value = 0;
  auto [stopped, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (failed != std::errc{}) return 0;
  out += static_cast<char>(static_cast<unsigned char>(value));
  return static_cast<size_t>(stopped - digits.data());
}

}  // namespace

size_t append_escape(std::string& out, std::string_view text) {
  if (text.size() < 2) {
    out += '\\';
    return 1;
  }
  char letter = text[1];
  switch (letter) {
    case 'n':
      out += '\n';
      return 2;
    case 'r':
      out += '\r';
      return 2;
    case 't':
      out += '\t';
      return 2;
    case 'x': {
      size_t digits = append_number(out, text.substr(2), 16);
      return digits == 0 ? 0 : 2 + digits;
    }
    default:
      if (letter >= '0' && letter <= '9') return 1 + append_number(out, text.substr(1), 10);
      out += letter;
      return 2;
  }
}

std::expected<std::string, std::string> unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '\\') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    size_t used = append_escape(out, text);
    if (used == 0) return std::unexpected(fmt::format("'{}': want hexadecimal digits after \\x", text));
    text.remove_prefix(used);
  }
  return out;
}

}  // namespace barnabas::cli
