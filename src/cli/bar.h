// Bar: how many of a known number of steps are done, on standard error. On a terminal one line with a bar that is drawn
// again in place; elsewhere a line at most every ten seconds. Ctrl-C ends the waiting. One at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/interrupt.h"

namespace barnabas::cli {

class Bar {
 public:
  Bar(std::string what, int64_t total);
  ~Bar();
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

  void at(int64_t done);
  bool interrupted() const { return interrupt_.asked(); }
  void wait(std::chrono::milliseconds time);

 private:
  std::string what_;
  int64_t total_;
  Interrupt interrupt_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_line_{};
};

}  // namespace barnabas::cli
