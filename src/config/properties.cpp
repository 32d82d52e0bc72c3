#include "config/properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "config/value.h"

namespace barnabas::config {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f';
}
bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}

void append_utf8(std::string& out, uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

// Length of the well-formed UTF-8 sequence at the start of `bytes`; 0 if there is none.
size_t utf8_length(std::string_view bytes) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  for (size_t at = 1; at < length; ++at)
    if ((byte(at) & 0xC0) != 0x80) return 0;
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
      (first == 0xF4 && byte(1) > 0x8F))
    return 0;
  return length;
}

std::string as_utf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = utf8_length(bytes.substr(at));
    if (length == 0) {
      std::string converted;
      for (const char c : bytes) append_utf8(converted, static_cast<uint8_t>(c));
      return converted;
    }
    at += length;
  }
  return std::string(bytes);
}

// Joins natural lines into logical ones: comments and blank lines gone, continuations joined, escapes untouched.
class LogicalLines {
 public:
  explicit LogicalLines(std::string_view text) : text_(text) {}

  // The next logical line; nullopt at the end. line() is where it began.
  std::optional<std::string> next() {
    while (at_ < text_.size()) {
      std::string_view natural = take_natural();
      line_ = natural_line_;
      natural = skip_blanks(natural);
      if (natural.empty() || natural[0] == '#' || natural[0] == '!') continue;
      std::string logical(natural);
      while (continues(logical)) {
        logical.pop_back();
        if (at_ >= text_.size()) break;
        logical += skip_blanks(take_natural());
      }
      return logical;
    }
    return std::nullopt;
  }

  int line() const { return line_; }

 private:
  static std::string_view skip_blanks(std::string_view line) {
    while (!line.empty() && is_blank(line[0])) line.remove_prefix(1);
    return line;
  }

  // An odd number of backslashes at the end.
  static bool continues(std::string_view line) {
    size_t count = 0;
    while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
    return count % 2 == 1;
  }

  std::string_view take_natural() {
    const size_t start = at_;
    while (at_ < text_.size() && !is_line_end(text_[at_])) ++at_;
    const std::string_view line = text_.substr(start, at_ - start);
    if (at_ < text_.size() && text_[at_++] == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++natural_line_;
    return line;
  }

  std::string_view text_;
  size_t at_ = 0;
  int natural_line_ = 0;
  int line_ = 0;
};

std::optional<uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const std::string_view digits = "0123456789abcdef";
    const size_t digit = digits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<uint32_t>(digit);
  }
  return value;
}

Result<std::string> unescape(std::string_view text, int line) {
  constexpr uint32_t kReplacement = 0xFFFD;
  std::string out;
  uint32_t high = 0;  // a first surrogate that waits for its second
  const auto flush_high = [&] {
    if (high != 0) append_utf8(out, kReplacement);
    high = 0;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      flush_high();
      if (text[at] != '\\') out += text[at];
      continue;
    }
    const char c = text[++at];
    if (c != 'u') {
      flush_high();
      out += c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c;
      continue;
    }
    const auto unit = hex4(text.substr(at + 1));
    if (!unit)
      return fail(ErrorCode::kInvalid, fmt::format("line {}: malformed \\uXXXX: four hexadecimal digits must follow "
                                                   "\\u (a backslash itself is written \\\\)",
                                                   line));
    at += 4;
    const bool second = *unit >= 0xDC00 && *unit <= 0xDFFF;
    if (second && high != 0) {
      append_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (*unit - 0xDC00));
      high = 0;
      continue;
    }
    flush_high();
    if (*unit >= 0xD800 && *unit <= 0xDBFF)
      high = *unit;
    else
      append_utf8(out, second ? kReplacement : *unit);
  }
  flush_high();
  return out;
}

size_t key_length(std::string_view line) {
  size_t at = 0;
  while (at < line.size() && line[at] != '=' && line[at] != ':' && !is_blank(line[at])) at += line[at] == '\\' ? 2 : 1;
  return std::min(at, line.size());
}

}  // namespace

Result<Properties> Properties::parse(std::string_view bytes) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  const std::string text = as_utf8(bytes);
  Properties properties;
  LogicalLines lines(text);
  while (const auto line = lines.next()) {
    const size_t length = key_length(*line);
    size_t value_start = length;
    bool separator = false;
    for (; value_start < line->size(); ++value_start) {
      const char c = (*line)[value_start];
      if (is_blank(c)) continue;
      if (separator || (c != '=' && c != ':')) break;
      separator = true;
    }
    Property property{.line = lines.line()};
    TRY_ASSIGN(property.key, unescape(std::string_view(*line).substr(0, length), lines.line()));
    TRY_ASSIGN(property.value, unescape(std::string_view(*line).substr(value_start), lines.line()));
    properties.set(std::move(property));
  }
  return properties;
}

void Properties::set(Property property) {
  const auto old = std::ranges::find(entries_, property.key, &Property::key);
  if (old != entries_.end()) {
    replaced_.push_back(std::move(*old));
    entries_.erase(old);
  }
  entries_.push_back(std::move(property));
}

const Property* Properties::find(std::string_view key) const {
  const auto place = std::ranges::find(entries_, key, &Property::key);
  return place == entries_.end() ? nullptr : &*place;
}

Result<Property> parse_override(std::string_view argument) {
  const size_t equals = argument.find('=');
  const std::string_view key = trim(argument.substr(0, equals));
  if (equals == std::string_view::npos || key.empty())
    return fail(ErrorCode::kInvalid, fmt::format("--override {}: write it as key=value", argument));
  return Property{.key = std::string(key), .value = std::string(trim(argument.substr(equals + 1)))};
}

}  // namespace barnabas::config
