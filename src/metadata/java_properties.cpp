#include "metadata/java_properties.h"

#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace barnabas::metadata {

namespace {

std::string_view trim_left(std::string_view text) {
  size_t start = text.find_first_not_of(" \t\f");
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

// Lines with continuations joined and comments and blank lines left out.
std::vector<std::string> logical_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::string open;
  bool continued = false;
  while (!text.empty()) {
    size_t end = text.find_first_of("\r\n");
    std::string_view line = trim_left(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!continued && (line.empty() || line.front() == '#' || line.front() == '!')) continue;
    size_t last = line.find_last_not_of('\\');
    size_t slashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
    continued = slashes % 2 == 1;
    if (continued) line.remove_suffix(1);
    open += line;
    if (!continued) lines.push_back(std::exchange(open, {}));
  }
  if (!open.empty()) lines.push_back(std::move(open));
  return lines;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    char c = text[++i];
    switch (c) {
      case 't':
        out.push_back('\t');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 'f':
        out.push_back('\f');
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::string java_date(TimestampMs now) {
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using namespace std::chrono;
  auto time = sys_time<milliseconds>(milliseconds(now));
  auto day = floor<days>(time);
  year_month_day date(day);
  hh_mm_ss clock(floor<seconds>(time - day));
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} UTC {}", kDays[weekday(day).c_encoding()],
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     static_cast<int>(date.year()));
}

std::string escape_property(std::string_view value) {
  std::string out;
  for (size_t i = 0; i < value.size(); ++i) {
    char c = value[i];
    switch (c) {
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\f':
        out += "\\f";
        break;
      case ' ':
        if (i == 0) out += '\\';
        out += c;
        break;
      case '\\':
      case '=':
      case ':':
      case '#':
      case '!':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out;
}

std::map<std::string, std::string, std::less<>> parse_java_properties(std::string_view text) {
  std::map<std::string, std::string, std::less<>> values;
  for (const std::string& line : logical_lines(text)) {
    size_t end = 0;
    while (end < line.size()) {
      char c = line[end];
      if (c == '\\') {
        end += 2;
        continue;
      }
      if (c == '=' || c == ':' || c == ' ' || c == '\t' || c == '\f') break;
      ++end;
    }
    end = std::min(end, line.size());
    std::string_view rest = trim_left(std::string_view(line).substr(end));
    if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) rest = trim_left(rest.substr(1));
    values.insert_or_assign(unescape(std::string_view(line).substr(0, end)), unescape(rest));
  }
  return values;
}

}  // namespace barnabas::metadata
