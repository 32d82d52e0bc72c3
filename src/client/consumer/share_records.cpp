#include "client/consumer/share_records.h"

#include <algorithm>
#include <limits>

namespace barnabas::client {

std::vector<AcknowledgementRun> runs_of(const Acknowledgements& acknowledgements) {
  std::vector<AcknowledgementRun> runs;
  for (const auto& [offset, type] : acknowledgements) {
    if (!runs.empty() && runs.back().last + 1 == offset && runs.back().type == type) {
      runs.back().last = offset;
    } else {
      runs.push_back({offset, offset, type});
    }
  }
  return runs;
}

Result<> take_acquired(FetchedRecords& from, const std::vector<AcquiredRange>& ranges, ConsumerRecords::Parts& to,
                       std::vector<int64_t>& given, std::vector<int64_t>& gaps) {
  std::map<int64_t, int16_t> acquired;
  for (const auto& range : ranges) {
    bool sane = range.first >= 0 && range.last >= range.first && range.last - range.first < kAcquiredMax &&
                static_cast<int64_t>(acquired.size()) < kAcquiredMax;
    if (!sane) {
      return std::unexpected(
          Error{.kind = Error::Kind::kBadAnswer, .message = "a broker names acquired records that cannot be"});
    }
    for (int64_t offset = range.first; offset <= range.last; ++offset) acquired[offset] = range.delivery_count;
  }
  size_t before = to.records.size();
  auto taken = from.take(std::numeric_limits<size_t>::max(), to);
  size_t kept = before;
  for (size_t index = before; index < to.records.size(); ++index) {
    ConsumerRecord& record = to.records[index];
    auto found = acquired.find(record.offset);
    if (found == acquired.end()) continue;
    record.delivery_count = found->second;
    given.push_back(record.offset);
    acquired.erase(found);
    to.records[kept++] = record;
  }
  to.records.resize(kept);
  for (const auto& [offset, count] : acquired) gaps.push_back(offset);
  if (!taken) return std::unexpected(taken.error());
  return {};
}

}  // namespace barnabas::client
