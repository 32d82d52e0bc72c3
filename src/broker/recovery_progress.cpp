#include "broker/recovery_progress.h"

#include <fmt/format.h>

#include <chrono>

#include "log/log.h"
#include "runtime/clock.h"
#include "runtime/logger.h"

namespace barnabas::broker {

namespace {
constexpr Duration kTellEvery = seconds(5);

std::string bytes_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  double amount = static_cast<double>(bytes);
  while (amount >= 1000 && unit + 1 < std::size(kUnits)) {
    amount /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}
}  // namespace

RecoveryProgress::RecoveryProgress(runtime::World& world, size_t partitions)
    : world_(world), partitions_(partitions), began_(world.clock.now()), told_(began_) {}

std::function<void(log::RecoveryProgress)> RecoveryProgress::of_one_log() {
  return [this, before = uint64_t{0}](log::RecoveryProgress log) mutable {
    bytes_done_ += log.bytes_done - before;
    before = log.bytes_done;
    tell_if_due();
  };
}

void RecoveryProgress::partition_done() {
  ++partitions_done_;
  tell_if_due();
}

std::string RecoveryProgress::amount() const {
  uint64_t done = bytes_done_;
  uint64_t total = bytes_total_;
  return total > done ? fmt::format("{} of {}", bytes_text(done), bytes_text(total)) : bytes_text(done);
}

void RecoveryProgress::tell_if_due() {
  MonotonicTime now = world_.clock.now();
  {
    std::lock_guard lock(mutex_);
    if (now - told_ < kTellEvery) return;
    told_ = now;
  }
  world_.logger.info(fmt::format("recovered {} of {} partitions, {}", partitions_done_.load(), partitions_, amount()));
}

void RecoveryProgress::finish() {
  double took = std::chrono::duration<double>(world_.clock.now() - began_).count();
  world_.logger.info(fmt::format("recovered all {} partitions, {}, in {:.1f} s", partitions_, amount(), took));
}

}  // namespace barnabas::broker
