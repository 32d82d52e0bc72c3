#include "cli/live_view.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace barnabas::cli {

namespace {

volatile std::sig_atomic_t asked_to_end = 0;

void on_interrupt(int) {
  asked_to_end = 1;
}

}  // namespace

LiveView::LiveView(Output& out) : out_(out), terminal_(stdout_is_terminal()) {
  struct sigaction action{};
  action.sa_handler = on_interrupt;  // without SA_RESTART: it also ends poll()
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  if (terminal_) out_.raw("\x1b[?25l");
}

LiveView::~LiveView() {
  if (terminal_) out_.raw("\x1b[?25h");
  out_.flush();
}

bool LiveView::interrupted() const {
  return asked_to_end != 0;
}

void LiveView::show(const std::vector<std::string>& lines) {
  if (!terminal_) {
    for (const auto& line : lines) out_.line(line);
    out_.flush();
    return;
  }
  size_t room = static_cast<size_t>(std::max(terminal_size().second - 1, 1));
  size_t count = std::min(lines.size(), room);
  std::string text;
  if (drawn_ > 0) text += fmt::format("\x1b[{}F", drawn_);
  for (size_t i = 0; i < count; ++i) text += lines[i] + "\x1b[K\n";
  text += "\x1b[J";
  drawn_ = count;
  out_.raw(text);
  out_.flush();
}

void LiveView::wait(std::chrono::milliseconds time) {
  if (!interrupted()) (void)poll(nullptr, 0, static_cast<int>(time.count()));
}

}  // namespace barnabas::cli
