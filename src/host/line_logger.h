// LineLogger: log lines with time and level, one at a time, to a sink or to standard error.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/clock.h"
#include "runtime/logger.h"

namespace barnabas::host {

class LineLogger final : public runtime::Logger {
 public:
  using Sink = std::function<void(std::string_view line)>;
  LineLogger(const runtime::Clock& clock, runtime::LogLevel least, Sink sink);

  void log(runtime::LogLevel level, std::string_view line) override;
  bool enabled(runtime::LogLevel level) const override { return level >= least_; }

 private:
  const runtime::Clock& clock_;
  const runtime::LogLevel least_;
  std::mutex mutex_;
  const Sink sink_;
};

// "2026-11-23T11:00:00.123Z"
std::string format_utc(TimestampMs time);

}  // namespace barnabas::host
