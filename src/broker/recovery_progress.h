// RecoveryProgress: says in the log how far the opening of replicas is after an unclean stop: a line every few seconds
// while it goes on and one when it is done. Any thread may report.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "base/time.h"
#include "runtime/world.h"

namespace barnabas::log {
struct RecoveryProgress;
}

namespace barnabas::broker {

class RecoveryProgress {
 public:
  RecoveryProgress(runtime::World& world, size_t partitions);

  // How much there is to look through in all; told once it is known.
  void set_bytes_total(uint64_t bytes) { bytes_total_ = bytes; }
  // For LogOptions::progress of one log; the object outlives the opening of it.
  std::function<void(log::RecoveryProgress)> of_one_log();
  void partition_done();
  // After the last partition.
  void finish();

 private:
  void tell_if_due();
  std::string amount() const;

  runtime::World& world_;
  const size_t partitions_;
  const MonotonicTime began_;
  std::atomic<size_t> partitions_done_ = 0;
  std::atomic<uint64_t> bytes_done_ = 0;
  std::atomic<uint64_t> bytes_total_ = 0;
  std::mutex mutex_;  // of told_
  MonotonicTime told_;
};

}  // namespace barnabas::broker
