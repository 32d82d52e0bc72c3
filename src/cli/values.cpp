#include "cli/values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

namespace barnabas::cli {

namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr Unit kTimes[] = {{"", 1},        {"ms", 1},       {"s", 1000},     {"m", 60000},
                           {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};
constexpr Unit kSizes[] = {{"", 1},
                           {"B", 1},
                           {"kB", 1000},
                           {"KB", 1000},
                           {"MB", 1000000},
                           {"GB", 1000000000},
                           {"TB", 1000000000000},
                           {"KiB", int64_t{1} << 10},
                           {"MiB", int64_t{1} << 20},
                           {"GiB", int64_t{1} << 30},
                           {"TiB", int64_t{1} << 40}};

template <size_t N>
std::optional<int64_t> parse(std::string_view text, const Unit (&units)[N]) {
  int64_t number = 0;
  auto [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || number < 0) return std::nullopt;
  std::string_view name = text.substr(static_cast<size_t>(stopped - text.data()));
  for (const Unit& unit : units) {
    if (unit.name == name) {
      return number > INT64_MAX / unit.factor ? std::nullopt : std::optional(number * unit.factor);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::pair<std::string, std::string>> key_value(std::string_view text) {
  size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

std::string human_config_value(std::string_view key, std::string_view value) {
  std::optional<int64_t> number;
  if (key.ends_with(".ms")) number = parse_duration_ms(value);
  if (key.ends_with(".bytes")) number = parse_bytes(value);
  return number ? std::to_string(*number) : std::string(value);
}

std::string human_bytes(int64_t bytes) {
  constexpr std::array kNames = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kNames.size()) {
    amount /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, kNames[unit]);
}

std::string human_duration(int64_t ms) {
  if (ms < 1000) return fmt::format("{}ms", ms);
  int64_t seconds = ms / 1000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h {}m", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{}d {}h", seconds / 86400, seconds % 86400 / 3600);
}

std::string human_time(int64_t ms_since_1970) {
  auto time = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms_since_1970));
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<int64_t> parse_duration_ms(std::string_view text) {
  return parse(text, kTimes);
}

std::optional<int64_t> parse_bytes(std::string_view text) {
  return parse(text, kSizes);
}

}  // namespace barnabas::cli
