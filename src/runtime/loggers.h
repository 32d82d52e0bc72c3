// Loggers: named loggers over one sink, each with a level of its own or that of the nearest logger above it in name
// ("kafka.log" is above "kafka.log.LogCleaner", "root" above all). Levels may change at any time; any thread. Owned by
// the node.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/logger.h"

namespace barnabas::runtime {

class Loggers {
 public:
  static constexpr std::string_view kRoot = "root";

  // `sink` gets every line that its logger lets through, and outlives this.
  explicit Loggers(Logger& sink, LogLevel root = LogLevel::kInfo);
  ~Loggers();
  Loggers(const Loggers&) = delete;
  Loggers& operator=(const Loggers&) = delete;

  // Made when first asked for; lives as long as this.
  Logger& get(std::string_view name);

  // The level that counts for each.
  std::map<std::string, LogLevel> levels() const;
  bool contains(std::string_view name) const;
  // False when there is no such logger.
  bool set(std::string_view name, LogLevel level);
  // Back to the level of the logger above. False when there is none such, and for root.
  bool unset(std::string_view name);

 private:
  class Named;
  Named& add_locked(std::string_view name);
  void settle_locked();

  Logger& sink_;
  mutable std::mutex mutex_;  // of the tree and of levels that were set
  std::map<std::string, std::unique_ptr<Named>, std::less<>> loggers_;
};

}  // namespace barnabas::runtime
