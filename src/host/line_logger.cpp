#include "host/line_logger.h"

#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace barnabas::host {

namespace {

const char* level_name(runtime::LogLevel level) {
  switch (level) {
    case runtime::LogLevel::kTrace:
      return "TRACE";
    case runtime::LogLevel::kDebug:
      return "DEBUG";
    case runtime::LogLevel::kInfo:
      return "INFO";
    case runtime::LogLevel::kWarning:
      return "WARN";
    case runtime::LogLevel::kError:
      return "ERROR";
    case runtime::LogLevel::kFatal:
      return "FATAL";
  }
  return "?";
}

// One write, so that lines of several processes on one terminal do not mix.
void write_to_stderr(std::string_view line) {
  std::string whole(line);
  whole += '\n';
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

}  // namespace

LineLogger::LineLogger(const runtime::Clock& clock, runtime::LogLevel least, Sink sink)
    : clock_(clock), least_(least), sink_(sink ? std::move(sink) : Sink(write_to_stderr)) {}

void LineLogger::log(runtime::LogLevel level, std::string_view line) {
  if (!enabled(level)) return;
  std::string whole = format_utc(clock_.wall_time());
  whole += ' ';
  whole += level_name(level);
  whole += ' ';
  whole += line;
  std::lock_guard lock(mutex_);
  sink_(whole);
}

std::string format_utc(TimestampMs time) {
  time_t seconds = time / 1000;
  int millis = static_cast<int>(time % 1000);
  if (millis < 0) {  // before 1970
    millis += 1000;
    --seconds;
  }
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + length, sizeof(text) - length, ".%03dZ", millis);
  return text;
}

}  // namespace barnabas::host
