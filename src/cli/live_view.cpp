#include "cli/live_view.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace barnabas::cli {

namespace {

// The first `columns` columns of a line, colours and all; a longer one would break and spoil the drawing.
std::string cut(const std::string& line, size_t columns) {
  std::string shown;
  bool colored = false;
  size_t used = 0;
  for (size_t at = 0; at < line.size();) {
    size_t length = 1;
    if (line[at] == '\x1b') {
      size_t end = line.find('m', at);
      length = (end == std::string::npos ? line.size() : end + 1) - at;
      colored = true;
    } else {
      while (at + length < line.size() && (static_cast<unsigned char>(line[at + length]) & 0xc0) == 0x80) ++length;
      size_t width = display_width(std::string_view(line).substr(at, length));
      if (used + width > columns) break;
      used += width;
    }
    shown.append(line, at, length);
    at += length;
  }
  return colored ? shown + "\x1b[0m" : shown;
}

}  // namespace

LiveView::LiveView(Output& out) : out_(out), terminal_(stdout_is_terminal()) {
  if (terminal_) out_.raw("\x1b[?25l");
}

LiveView::~LiveView() {
  if (terminal_) out_.raw("\x1b[?25h");
  out_.flush();
}

bool LiveView::interrupted() const {
  return interrupt_.asked();
}

void LiveView::show(const std::vector<std::string>& lines) {
  if (!terminal_) {
    for (const auto& line : lines) out_.line(line);
    out_.flush();
    return;
  }
  auto [columns, rows] = terminal_size();
  size_t room = static_cast<size_t>(std::max(rows - 1, 1));
  size_t count = std::min(lines.size(), room);
  std::string text;
  if (drawn_ > 0) text += fmt::format("\x1b[{}F", drawn_);
  for (size_t i = 0; i < count; ++i) text += cut(lines[i], static_cast<size_t>(columns)) + "\x1b[K\n";
  text += "\x1b[J";
  drawn_ = count;
  out_.raw(text);
  out_.flush();
}

void LiveView::wait(std::chrono::milliseconds time) {
  pollfd file{.fd = interrupt_.file(), .events = POLLIN, .revents = 0};
  if (!interrupted()) (void)poll(&file, 1, static_cast<int>(time.count()));
}

}  // namespace barnabas::cli
