#include "log/cleaner_plan.h"

#include <algorithm>
#include <memory>

#include "log/log.h"

namespace barnabas::log {

namespace {

// Where the segment begins that holds `offset`.
Offset segment_base_of(const Log& log, Offset offset) {
  Offset base = log.segments().front()->base();
  for (const auto& segment : log.segments()) {
    if (segment->base() > offset) break;
    base = segment->base();
  }
  return base;
}

}  // namespace

double CleanableRange::dirty_ratio() const {
  uint64_t total = clean_bytes + dirty_bytes;
  return total == 0 ? 0.0 : static_cast<double>(dirty_bytes) / static_cast<double>(total);
}

Result<CleanableRange> find_cleanable(Log& log, std::optional<Offset> checkpoint, Offset high_watermark,
                                      CleanerLags lags, TimestampMs now) {
  Offset start = log.log_start_offset();
  bool believed = checkpoint && *checkpoint >= start && *checkpoint <= log.log_end_offset();
  CleanableRange range{.first_dirty = believed ? *checkpoint : start};
  range.end = range.first_dirty;
  Offset limit = std::min(high_watermark, log.segments().back()->base());
  if (limit <= range.first_dirty) return range;  // most logs most of the time: without touching anything

  TRY_ASSIGN(replication::ProducerState * producers, log.producers());
  if (auto unstable = producers->first_unstable_offset()) limit = std::min(limit, *unstable);
  Offset active = log.segments().back()->base();
  if (lags.min_ms > 0) {
    for (const auto& segment : log.segments()) {
      if (segment->base() >= active || segment->base() < segment_base_of(log, range.first_dirty)) continue;
      TRY_ASSIGN(TimestampMs age, segment->age_timestamp(log.directory()));
      if (age <= now - lags.min_ms) continue;
      limit = std::min(limit, segment->base());
      break;
    }
  }
  range.end = std::max(range.first_dirty, segment_base_of(log, limit));

  Offset first_dirty_segment = segment_base_of(log, range.first_dirty);
  for (const auto& segment : log.segments()) {
    if (segment->base() < range.first_dirty) range.clean_bytes += segment->size();
    if (segment->base() < first_dirty_segment || segment->base() >= range.end) continue;
    range.dirty_bytes += segment->size();
    if (lags.max_ms == INT64_MAX || segment->size() == 0) continue;
    TRY_ASSIGN(TimestampMs first, segment->first_timestamp(log.directory()));
    range.overdue |= first > 0 && now - first > lags.max_ms;
  }
  return range;
}

Result<CleanPlan> plan_cleaning(Log& log, const CleanableRange& range, Offset high_watermark,
                                int64_t delete_retention_ms, TimestampMs now) {
  const LogConfig& config = log.config();
  CleanPlan plan{.name = log.name(),
                 .generation = log.generation(),
                 .range = range,
                 .rules = {.now = now, .delete_retention_ms = delete_retention_ms, .high_watermark = high_watermark},
                 .segment_bytes = static_cast<uint64_t>(std::max<int64_t>(config.segment_bytes, 0)),
                 .segment_index_bytes = static_cast<uint64_t>(std::max(config.segment_index_bytes, 0)),
                 .index_interval_bytes = config.index_interval_bytes};
  const auto& segments = log.segments();
  for (size_t i = 0; i + 1 < segments.size() && segments[i]->base() < range.end; ++i) {
    PlannedSegment planned{.base = segments[i]->base(), .end = segments[i + 1]->base(), .size = segments[i]->size()};
    planned.untouchable =
        std::ranges::any_of(log.damaged(), [&](const DamagedRange& damage) { return damage.segment == planned.base; });
    plan.segments.push_back(planned);
  }
  TRY_ASSIGN(replication::ProducerState * producers, log.producers());
  for (const auto& [id, producer] : producers->producers()) {
    LastOfProducer last{.epoch = producer.epoch};
    if (!producer.batches().empty()) last.data_offset = producer.batches().back().last_offset;
    plan.rules.last_of_producers.emplace(id, last);
  }
  TRY_ASSIGN(auto aborted, log.aborted_transactions(segments.front()->base(), range.end));
  plan.aborted = std::make_shared<const std::vector<replication::AbortedTransaction>>(std::move(aborted));
  return plan;
}

}  // namespace barnabas::log
