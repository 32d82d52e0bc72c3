// Runtime: the thread, event loop and sockets that clients run on. Every producer, consumer and admin client makes one
// of its own unless it is given one to share; sharing saves a thread for each. Callbacks and resumed coroutines of all
// clients of a Runtime run on its thread. A Runtime lives as long as the last client that uses it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "barnabas/error.h"

namespace barnabas::client {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

struct RuntimeOptions {
  LogLevel log_level = LogLevel::kWarn;
  // Gets whole lines without newline, one at a time, from any thread. Empty: standard error.
  std::function<void(std::string_view line)> log_sink{};
};

class Runtime {
 public:
  static std::shared_ptr<Runtime> create(RuntimeOptions options = {});
  virtual ~Runtime() = default;
};

}  // namespace barnabas::client
