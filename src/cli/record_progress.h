// RecordProgress: how far work with records is, on standard error: one line redrawn in place on a terminal, a line
// every ten seconds elsewhere. Silent for work that is over soon. update() costs a look at the clock. some records.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace barnabas::cli {

class RecordProgress {
 public:
  // `verb`: "sent", "read". `total`: records, when known. Not `shown`: says nothing at all.
  RecordProgress(std::string verb, std::optional<int64_t> total, bool shown);
  ~RecordProgress();  // takes the line away
  RecordProgress(const RecordProgress&) = delete;
  RecordProgress& operator=(const RecordProgress&) = delete;

  void update(uint64_t records, uint64_t bytes);
  // Before something else is written to standard error.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::string verb_;
  std::optional<int64_t> total_;
  bool shown_, terminal_, drawn_ = false;
  Clock::time_point begin_, next_, last_;
  uint64_t last_records_ = 0;
};

// 1234567 as "1,234,567".
std::string thousands(uint64_t number);

}  // namespace barnabas::cli
