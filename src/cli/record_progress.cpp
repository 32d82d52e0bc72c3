#include "cli/record_progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {
using std::chrono::milliseconds;
constexpr milliseconds kFirst{1000}, kOnTerminal{200}, kElsewhere{10000};
}  // namespace

RecordProgress::RecordProgress(std::string verb, std::optional<int64_t> total, bool shown)
    : verb_(std::move(verb)),
      total_(total),
      shown_(shown),
      terminal_(stderr_is_terminal()),
      begin_(Clock::now()),
      next_(begin_ + (terminal_ ? kFirst : kElsewhere)),
      last_(begin_) {}

RecordProgress::~RecordProgress() {
  clear();
}

void RecordProgress::update(uint64_t records, uint64_t bytes) {
  if (!shown_) return;
  auto now = Clock::now();
  if (now < next_) return;
  double seconds = std::chrono::duration<double>(now - last_).count();
  double rate = static_cast<double>(records - last_records_) / std::max(seconds, 1e-3);
  next_ = now + (terminal_ ? kOnTerminal : kElsewhere);
  last_ = now;
  last_records_ = records;
  std::string line = fmt::format("{} {}", thousands(records), verb_);
  if (total_ && *total_ > 0)
    line += fmt::format(" of {} ({}%)", thousands(static_cast<uint64_t>(*total_)),
                        records * 100 / static_cast<uint64_t>(*total_));
  line += fmt::format(", {}, {}/s", human_bytes(static_cast<int64_t>(bytes)), thousands(static_cast<uint64_t>(rate)));
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r" : "", line, terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
  drawn_ = terminal_;
}

void RecordProgress::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

std::string thousands(uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<int64_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<size_t>(at), ",");
  return text;
}

}  // namespace barnabas::cli
