#include "runtime/loggers.h"

namespace barnabas::runtime {

class Loggers::Named final : public Logger {
 public:
  Named(Logger& sink, std::optional<LogLevel> own) : own_level(own), sink_(sink) {}

  void log(LogLevel level, std::string_view line) override {
    if (enabled(level)) sink_.log(level, line);
  }
  bool enabled(LogLevel level) const override { return level >= least.load(std::memory_order_relaxed); }

  std::optional<LogLevel> own_level;
  std::atomic<LogLevel> least = LogLevel::kInfo;

 private:
  Logger& sink_;
};

Loggers::Loggers(Logger& sink, LogLevel root) : sink_(sink) {
  add_locked(kRoot).own_level = root;
  settle_locked();
}

Loggers::~Loggers() = default;

Loggers::Named& Loggers::add_locked(std::string_view name) {
  auto [place, is_new] = loggers_.try_emplace(std::string(name));
  if (is_new) place->second = std::make_unique<Named>(sink_, std::nullopt);
  return *place->second;
}

// Every logger gets the level of the nearest one above that has its own.
void Loggers::settle_locked() {
  for (auto& [name, logger] : loggers_) {
    std::string_view at = name;
    std::optional<LogLevel> level = logger->own_level;
    while (!level) {
      size_t dot = at.rfind('.');
      at = dot == std::string_view::npos ? kRoot : at.substr(0, dot);
      auto above = loggers_.find(at);
      if (above != loggers_.end()) level = above->second->own_level;
    }
    logger->least.store(*level, std::memory_order_relaxed);
  }
}

Logger& Loggers::get(std::string_view name) {
  std::lock_guard lock(mutex_);
  Named& logger = add_locked(name);
  settle_locked();
  return logger;
}

std::map<std::string, LogLevel> Loggers::levels() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, LogLevel> levels;
  for (const auto& [name, logger] : loggers_) levels.emplace(name, logger->least.load(std::memory_order_relaxed));
  return levels;
}

bool Loggers::contains(std::string_view name) const {
  std::lock_guard lock(mutex_);
  return loggers_.contains(name);
}

bool Loggers::set(std::string_view name, LogLevel level) {
  std::lock_guard lock(mutex_);
  auto found = loggers_.find(name);
  if (found == loggers_.end()) return false;
  found->second->own_level = level;
  settle_locked();
  return true;
}

bool Loggers::unset(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = loggers_.find(name);
  if (found == loggers_.end() || name == kRoot) return false;
  found->second->own_level.reset();
  settle_locked();
  return true;
}

}  // namespace barnabas::runtime
