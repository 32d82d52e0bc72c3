#include "cli/bar.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstdio>

#include "cli/output.h"

namespace barnabas::cli {

namespace {
constexpr int kWidth = 30;
constexpr std::chrono::seconds kBetweenLines{10};
}  // namespace

Bar::Bar(std::string what, int64_t total)
    : what_(std::move(what)), total_(std::max<int64_t>(total, 1)), terminal_(stderr_is_terminal()) {}

Bar::~Bar() {
  if (drawn_) std::fputc('\n', stderr);
}

void Bar::at(int64_t done) {
  if (!terminal_) {
    auto now = std::chrono::steady_clock::now();
    if (now < next_line_ && done < total_) return;
    next_line_ = now + kBetweenLines;
    fmt::print(stderr, "{}: {} of {}\n", what_, done, total_);
    return;
  }
  drawn_ = true;
  int filled = static_cast<int>(std::clamp<int64_t>(done * kWidth / total_, 0, kWidth));
  std::string bar;
  for (int i = 0; i < kWidth; ++i) bar += i < filled ? "█" : "·";
  fmt::print(stderr, "\r{}  {}  {} of {}\x1b[K", what_, bar, done, total_);
}

void Bar::wait(std::chrono::milliseconds time) {
  pollfd file{.fd = interrupt_.file(), .events = POLLIN, .revents = 0};
  if (!interrupted()) (void)poll(&file, 1, static_cast<int>(time.count()));
}

}  // namespace barnabas::cli
