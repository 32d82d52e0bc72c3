#include "group/append_ledger.h"

#include "base/check.h"

namespace barnabas::group {

AppendSequence AppendLedger::add(int64_t record_count, std::vector<Reply> replies) {
  ++last_;
  UncommittedAppend& added = uncommitted_.emplace_back();
  added.sequence = last_;
  added.record_count = record_count;
  added.replies = std::move(replies);
  return last_;
}

void AppendLedger::attach(AppendSequence sequence, AppendEffect effect) {
  CHECK(!uncommitted_.empty() && uncommitted_.back().sequence == sequence);
  uncommitted_.back().effects.push_back(std::move(effect));
}

void AppendLedger::appended(AppendSequence sequence, Offset base_offset) {
  for (auto at = uncommitted_.rbegin(); at != uncommitted_.rend(); ++at) {
    if (at->sequence != sequence) continue;
    at->base_offset = base_offset;
    return;
  }
  CHECK(false, "appended() of a sequence that is not waiting");
}

std::optional<UncommittedAppend> AppendLedger::take_committed(Offset high_watermark) {
  if (uncommitted_.empty()) return std::nullopt;
  UncommittedAppend& oldest = uncommitted_.front();
  if (!oldest.base_offset || *oldest.base_offset + oldest.record_count > high_watermark) return std::nullopt;
  UncommittedAppend taken = std::move(oldest);
  uncommitted_.pop_front();
  committed_ = taken.sequence;
  return taken;
}

std::optional<UncommittedAppend> AppendLedger::take_newest(AppendSequence from) {
  if (uncommitted_.empty() || uncommitted_.back().sequence < from) return std::nullopt;
  UncommittedAppend taken = std::move(uncommitted_.back());
  uncommitted_.pop_back();
  return taken;
}

std::vector<Reply> AppendLedger::take_all_replies() {
  std::vector<Reply> replies;
  for (UncommittedAppend& append : uncommitted_) {
    for (Reply& reply : append.replies) replies.push_back(std::move(reply));
  }
  uncommitted_.clear();
  return replies;
}

}  // namespace barnabas::group
