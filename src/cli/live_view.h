// LiveView: lines that are drawn again in place. On a terminal each show() replaces the one before, cut to the window;
// elsewhere the lines are printed one after the other. Ctrl-C ends it: interrupted() says so, and wait() returns early.
// One at a time.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/interrupt.h"
#include "cli/output.h"

namespace barnabas::cli {

class LiveView {
 public:
  explicit LiveView(Output& out);
  ~LiveView();  // shows the cursor again
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;

  bool on_terminal() const { return terminal_; }
  bool interrupted() const;
  void show(const std::vector<std::string>& lines);
  void wait(std::chrono::milliseconds time);

 private:
  Output& out_;
  Interrupt interrupt_;
  bool terminal_;
  size_t drawn_ = 0;
};

}  // namespace barnabas::cli
