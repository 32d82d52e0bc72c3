#include "config/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "config/listener.h"

namespace barnabas::config {
namespace {

std::unexpected<Error> wrong(const KeyInfo& key, std::string_view value, std::string_view what) {
  return fail(ErrorCode::kInvalid, fmt::format("Invalid value {} for configuration {}: {}", value, key.name, what));
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::toupper(c); });
  return result;
}

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Java's Double.toString: plain between 1e-3 and 1e7, else d.dddE±n; always with a fraction.
std::string java_double(double value) {
  const double magnitude = std::abs(value);
  if (value == 0 || (magnitude >= 1e-3 && magnitude < 1e7)) {
    std::string plain = fmt::format("{}", value);
    return plain.find('.') == std::string::npos ? plain + ".0" : plain;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view digits(buffer, end.ptr);
  const size_t e = digits.find('e');
  std::string mantissa(digits.substr(0, e));
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  return fmt::format("{}E{}", mantissa, *parse_long(digits.substr(e + 1)));
}

Result<> check_range(const KeyInfo& key, double value, std::string_view shown) {
  const Validator& valid = key.validator;
  if (valid.kind != Validator::Kind::kRange) return {};
  if (valid.also) {
    if (value == *valid.also || (value >= valid.min && value <= valid.max)) return {};
    return wrong(key, shown,
                 fmt::format("Value must be between {} and {} or equal to {}", valid.min, valid.max, *valid.also));
  }
  if (value < valid.min) return wrong(key, shown, fmt::format("Value must be at least {}", valid.min));
  if (value > valid.max) return wrong(key, shown, fmt::format("Value must be no more than {}", valid.max));
  return {};
}

Result<std::string> check_whole_number(const KeyInfo& key, std::string_view text, int64_t min, int64_t max) {
  const std::optional<int64_t> value = parse_long(text);
  if (!value || *value < min || *value > max)
    return wrong(key, text, fmt::format("Not a number of type {}", upper(type_name(key.type))));
  std::string canonical = std::to_string(*value);
  TRY(check_range(key, static_cast<double>(*value), canonical));
  return canonical;
}

// "*" or partition:broker,...
bool is_throttled_replicas(const std::vector<std::string>& items) {
  if (items.size() == 1 && items[0] == "*") return true;
  return std::ranges::all_of(items, [](const std::string& item) {
    const size_t colon = item.find(':');
    const auto digits = [](std::string_view part) {
      return !part.empty() && std::ranges::all_of(part, [](unsigned char c) { return std::isdigit(c); });
    };
    return colon != std::string::npos && digits(std::string_view(item).substr(0, colon)) &&
           digits(std::string_view(item).substr(colon + 1));
  });
}

Result<> check_voter(const KeyInfo& key, const std::string& item) {
  const size_t at = item.find('@');
  const auto id = parse_long(std::string_view(item).substr(0, at == std::string::npos ? 0 : at));
  if (!id || *id < 0 || *id > std::numeric_limits<int32_t>::max())
    return wrong(key, item, "No voter ID@host:port: the ID must be a number that is not negative");
  if (!parse_host_port(std::string_view(item).substr(at + 1)))
    return wrong(key, item, "No voter ID@host:port: the address is not host:port");
  return {};
}

Result<std::string> check_list(const KeyInfo& key, std::string_view text) {
  std::vector<std::string> items = split_list(text);
  using Kind = Validator::Kind;
  const Kind kind = key.validator.kind;
  if (kind == Kind::kAny || kind == Kind::kListOf) {
    // Kafka drops what stands twice.
    std::vector<std::string> distinct;
    for (std::string& item : items)
      if (std::ranges::find(distinct, item) == distinct.end()) distinct.push_back(std::move(item));
    items = std::move(distinct);
  }
  switch (kind) {
    case Kind::kListOf:
      for (const std::string& item : items)
        if (!contains(key.validator.words, item))
          return wrong(key, item, fmt::format("String must be one of: {}", fmt::join(key.validator.words, ", ")));
      break;
    case Kind::kThrottledReplicas:
      if (!is_throttled_replicas(items))
        return wrong(key, fmt::format("[{}]", fmt::join(items, ", ")),
                     fmt::format("{} must be the literal '*' or a list of replicas in the following format: "
                                 "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
                                 key.name));
      break;
    case Kind::kVoters:
      for (const std::string& item : items) TRY(check_voter(key, item));
      break;
    case Kind::kHostPorts:
      for (const std::string& item : items)
        if (!parse_host_port(item)) return wrong(key, item, "Not an address host:port");
      break;
    default:
      if (std::ranges::find(items, "") != items.end())
        return fail(ErrorCode::kInvalid, fmt::format("Configuration '{}' values must not be empty.", key.name));
      break;
  }
  return join_list(items);
}

Result<std::string> check_string(const KeyInfo& key, std::string_view text) {
  using Kind = Validator::Kind;
  const Validator& valid = key.validator;
  switch (valid.kind) {
    case Kind::kOneOf:
      if (!contains(valid.words, text))
        return wrong(key, text, fmt::format("String must be one of: {}", fmt::join(valid.words, ", ")));
      break;
    case Kind::kOneOfAnyCase:
      if (!contains(valid.words, upper(text)))
        return wrong(key, text,
                     fmt::format("String must be one of (case insensitive): {}", fmt::join(valid.words, ", ")));
      break;
    case Kind::kNonEmpty:
      if (text.empty()) return wrong(key, text, "String must be non-empty");
      break;
    case Kind::kHostCounts:
      for (const std::string& item : split_list(text)) {
        const size_t colon = item.rfind(':');
        const auto count =
            parse_long(std::string_view(item).substr(colon == std::string::npos ? item.size() : colon + 1));
        if (!count || *count < 0 || *count > std::numeric_limits<int32_t>::max() || colon == 0)
          return wrong(key, text, fmt::format("'{}' is not host:count", item));
      }
      break;
    case Kind::kOffsetReset:
    case Kind::kOffsetResetOrNone: {
      constexpr std::string_view kByDuration = "by_duration:";
      const bool none = valid.kind == Kind::kOffsetResetOrNone;
      const bool duration = text.starts_with(kByDuration) && parse_duration_ms(text.substr(kByDuration.size()));
      if (text != "latest" && text != "earliest" && !duration && !(none && text == "none"))
        return wrong(key, text,
                     fmt::format("Invalid value `{}` for configuration {}. The value must be either 'earliest', "
                                 "'latest'{} or of the format 'by_duration:<PnDTnHnMn.nS{}>'.",
                                 text, key.name, none ? ", 'none'" : "", none ? "." : ""));
      break;
    }
    default:
      break;
  }
  return std::string(text);
}

}  // namespace

Result<std::string> check_value(const KeyInfo& key, std::string_view text) {
  const std::string_view trimmed = trim(text);
  switch (key.type) {
    case KeyType::kBoolean: {
      const std::string value = upper(trimmed);
      if (value == "TRUE") return "true";
      if (value == "FALSE") return "false";
      return wrong(key, text, "Expected value to be either true or false");
    }
    case KeyType::kInt:
      return check_whole_number(key, trimmed, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    case KeyType::kShort:
      return check_whole_number(key, trimmed, std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max());
    case KeyType::kLong:
      return check_whole_number(key, trimmed, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
    case KeyType::kDouble: {
      const std::optional<double> value = parse_double(trimmed);
      if (!value) return wrong(key, trimmed, "Not a number of type DOUBLE");
      std::string canonical = java_double(*value);
      TRY(check_range(key, *value, canonical));
      return canonical;
    }
    case KeyType::kList:
      return check_list(key, trimmed);
    case KeyType::kUnknown:
    case KeyType::kString:
    case KeyType::kClass:
    case KeyType::kPassword:
      return check_string(key, trimmed);
  }
  return std::string(trimmed);
}

std::string valid_values(const KeyInfo& key) {
  using Kind = Validator::Kind;
  const Validator& valid = key.validator;
  switch (valid.kind) {
    case Kind::kAny:
      return key.type == KeyType::kBoolean ? "true or false" : "";
    case Kind::kRange: {
      const bool open = std::isinf(valid.max);
      std::string range = open ? fmt::format("at least {}", valid.min) : fmt::format("{} to {}", valid.min, valid.max);
      return valid.also ? fmt::format("{}, or {}", range, *valid.also) : range;
    }
    case Kind::kOneOf:
      return fmt::format("one of {}", fmt::join(valid.words, ", "));
    case Kind::kOneOfAnyCase:
      return fmt::format("one of {} (case does not matter)", fmt::join(valid.words, ", "));
    case Kind::kListOf:
      return fmt::format("any of {}", fmt::join(valid.words, ", "));
    case Kind::kNonEmpty:
      return "not empty";
    case Kind::kThrottledReplicas:
      return "* or partition:broker,...";
    case Kind::kOffsetReset:
      return "latest, earliest or by_duration:PnDTnHnMn.nS";
    case Kind::kOffsetResetOrNone:
      return "latest, earliest, none or by_duration:PnDTnHnMn.nS";
    case Kind::kVoters:
      return "id@host:port,...";
    case Kind::kHostPorts:
      return "host:port,...";
    case Kind::kHostCounts:
      return "host:count,...";
  }
  return "";
}

std::optional<int64_t> parse_long(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_duration_ms(std::string_view text) {
  constexpr double kLongest = 9.2e18;
  if (!text.starts_with('P') && !text.starts_with('p')) return std::nullopt;
  std::string_view order = "DTHMS";
  double ms = 0;
  bool any = false;
  bool time = false;
  size_t at = 1;
  while (at < text.size()) {
    if (std::toupper(static_cast<unsigned char>(text[at])) == 'T' && !time) {
      time = true;
      order = "HMS";
      if (++at == text.size()) return std::nullopt;
      continue;
    }
    const size_t start = at;
    while (at < text.size() && (std::isdigit(static_cast<unsigned char>(text[at])) || text[at] == '.')) ++at;
    if (at == start || at == text.size()) return std::nullopt;
    const auto count = parse_double(text.substr(start, at - start));
    const char unit = static_cast<char>(std::toupper(static_cast<unsigned char>(text[at])));
    const size_t place = order.find(unit);
    if (!count || place == std::string_view::npos || (!time && unit != 'D')) return std::nullopt;
    const bool whole = text.substr(start, at - start).find('.') == std::string_view::npos;
    if (!whole && unit != 'S') return std::nullopt;
    ms += *count * (unit == 'D' ? 86400000. : unit == 'H' ? 3600000. : unit == 'M' ? 60000. : 1000.);
    order.remove_prefix(place + 1);
    any = true;
    ++at;
  }
  if (!any || ms >= kLongest) return std::nullopt;
  return static_cast<int64_t>(ms);
}

bool is_true(std::string_view text) {
  return text == "true";
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  text = trim(text);
  if (text.empty()) return items;
  while (true) {
    const size_t comma = text.find(',');
    items.emplace_back(trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

std::string join_list(const std::vector<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ","));
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

}  // namespace barnabas::config
