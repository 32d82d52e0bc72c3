// Logger: where a node's log lines go. Format at the call site (fmt::format); a line is one sentence.
#pragma once

#include <string_view>

namespace barnabas::runtime {

enum class LogLevel {
  kTrace,
  kDebug,
  kInfo,
  kWarning,
  kError,
  kFatal
};  // as Kafka names them; nothing of ours is a trace or fatal

class Logger {
 public:
  virtual ~Logger() = default;
  virtual void log(LogLevel level, std::string_view line) = 0;  // any thread
  virtual bool enabled(LogLevel level) const { return level >= LogLevel::kInfo; }

  void debug(std::string_view line) { log(LogLevel::kDebug, line); }
  void info(std::string_view line) { log(LogLevel::kInfo, line); }
  void warning(std::string_view line) { log(LogLevel::kWarning, line); }
  void error(std::string_view line) { log(LogLevel::kError, line); }
};

}  // namespace barnabas::runtime
