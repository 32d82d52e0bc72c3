// The work that `bench` measures, apart from how it is asked for and told: records of one size through a producer, a
// consumer, or both.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "barnabas/config.h"
#include "barnabas/error.h"
#include "cli/interrupt.h"
#include "cli/latency_histogram.h"
#include "cli/record_progress.h"

namespace barnabas::cli {

struct BenchLoad {
  std::string topic;
  int32_t partitions = 1;
  size_t record_size = 100;
  int64_t records = 1000000;                      // at most
  std::optional<std::chrono::milliseconds> time;  // and no longer than this
  int64_t rate = 0;                               // records a second; 0: as fast as it goes
};

struct BenchResult {
  uint64_t records = 0, failed = 0, bytes = 0;
  double seconds = 0;
  double cpu_seconds = 0;  // of this process, user and system
  LatencyHistogram latency;
  std::optional<client::Error> error;  // the first one
};

// Latency: from the time the record was due to its report.
client::Result<BenchResult> bench_produce(const client::Config& config, const BenchLoad& load,
                                          const Interrupt& interrupt, RecordProgress& progress);
// Reads load.records from the start. No latency.
client::Result<BenchResult> bench_consume(const client::Config& config, const BenchLoad& load,
                                          const Interrupt& interrupt, RecordProgress& progress);
// Latency: from send() to the poll() that has the record. With `one_by_one` the next is sent when one has arrived.
client::Result<BenchResult> bench_through(const client::Config& config, const BenchLoad& load, bool one_by_one,
                                          const Interrupt& interrupt, RecordProgress& progress);

}  // namespace barnabas::cli
