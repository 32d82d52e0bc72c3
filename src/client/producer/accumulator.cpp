#include "client/producer/accumulator.h"

#include <algorithm>

#include "client/producer/partitioner.h"
#include "wire/record_batch.h"

namespace barnabas::client::producer {

namespace {

// splitmix64: good enough to choose a partition, and no system call.
uint64_t next_random(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

}  // namespace

Accumulator::Accumulator(const ProducerSettings& settings, runtime::Clock& clock, runtime::Random& random,
                         std::function<void()> wake)
    : batch_bytes_(std::max<size_t>(1, static_cast<size_t>(settings.batch_bytes))),
      limit_max_(std::max<size_t>(batch_bytes_, static_cast<size_t>(settings.max_request_bytes) / 2)),
      linger_(milliseconds(settings.linger_ms)),
      compressing_(settings.compression.codec != wire::Codec::kNone),
      adaptive_(settings.partitioner_adaptive),
      availability_timeout_(milliseconds(settings.partitioner_availability_timeout_ms)),
      clock_(clock),
      random_(random),
      wake_(std::move(wake)),
      memory_(static_cast<size_t>(settings.buffer_memory_bytes), batch_bytes_) {}

// batch.size is about bytes as they are sent.
size_t Accumulator::batch_limit() const {
  if (!compressing_) return batch_bytes_;
  size_t percent = ratio_percent_.load(std::memory_order_relaxed);
  size_t units = std::clamp<size_t>(100 / percent, 1, Memory::kKeptUnits);
  return std::min(batch_bytes_ * units, limit_max_);
}

size_t Accumulator::room_needed(const RecordShape& shape) const {
  return std::max(batch_limit(), wire::kBatchOverhead + shape.upper_bound());
}

Accumulator::Outcome Accumulator::append(Partition& partition, bool sticky, Item& item) {
  bool first = false, filled = false;
  Outcome outcome = Outcome::kTaken;
  MonotonicTime created{};
  TimestampMs timestamp = item.record.timestamp ? *item.record.timestamp : clock_.wall_time();
  {
    std::lock_guard lock(partition.mutex);
    if (closed()) return Outcome::kClosed;
    if (sticky && partition.topic.sticky.load(std::memory_order_relaxed) != partition.index) return Outcome::kMoved;
    size_t before = partition.open ? partition.open->plain_size() : 0;
    bool appended =
        partition.open && partition.open->append(item.record, item.shape, timestamp, item.tag, item.callback);
    if (!appended) {
      if (partition.open) {
        partition.full.push_back(std::move(partition.open));
        filled = true;
      }
      before = 0;
      // Not for a record that is alone larger than a batch: it would move for ever.
      if (sticky && partition.sticky_bytes > 0 &&
          sticky_is_over(partition.sticky_bytes + item.shape.fixed, batch_bytes_, true)) {
        move_sticky(partition);
        outcome = Outcome::kMoved;
      } else if (auto block = memory_.try_take(room_needed(item.shape)); !block) {
        outcome = Outcome::kNoRoom;
      } else {
        created = clock_.now();
        first = partition.full.empty();
        partition.open = std::make_shared<Batch>(partition, memory_, *std::move(block), batch_limit(), created);
        partition.open->append(item.record, item.shape, timestamp, item.tag, item.callback);
        partition.queued.fetch_add(1, std::memory_order_relaxed);
      }
    }
    if (outcome == Outcome::kTaken) {
      // A batch that holds as much as it may has nothing to wait for.
      if (partition.open->plain_size() >= partition.open->limit()) {
        created = partition.open->created();
        size_t size = partition.open->plain_size();
        partition.full.push_back(std::move(partition.open));
        if (sticky) partition.sticky_bytes += size - before;
        filled = true;
      } else if (sticky) {
        partition.sticky_bytes += partition.open->plain_size() - before;
      }
      if (sticky && sticky_is_over(partition.sticky_bytes, batch_bytes_, partition.open == nullptr)) {
        move_sticky(partition);
      }
    }
  }
  if (filled || first) note(partition, filled || linger_ <= Duration::zero(), created);
  return outcome;
}

void Accumulator::note(Partition& partition, bool full, MonotonicTime created) {
  if (!partition.noted.exchange(true)) {
    partition.next_noted = noted_.load(std::memory_order_relaxed);
    while (!noted_.compare_exchange_weak(partition.next_noted, &partition)) {
    }
  }
  if (full) {
    Leader* leader = partition.leader;
    if (leader != nullptr && leader->busy) return;
  } else if (armed_until_ <= (created + linger_).nanos) {
    return;
  }
  wake_();
}

Partition* Accumulator::take_noted() {
  Partition* newest = noted_.exchange(nullptr);
  Partition* oldest = nullptr;
  while (newest != nullptr) {
    Partition* next = newest->next_noted;
    newest->next_noted = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

int32_t Accumulator::sticky_partition(Topic& topic) {
  int32_t now = topic.sticky.load(std::memory_order_relaxed);
  if (now >= 0) [[likely]]
    return now;
  const Topic::List* list = topic.partitions.load(std::memory_order_acquire);
  if (list == nullptr || list->empty()) return -1;
  std::lock_guard lock(topic.mutex);
  now = topic.sticky;
  if (now >= 0) return now;
  if (topic.random == 0) topic.random = random_.next() | 1;
  uint64_t random = next_random(topic.random);
  now = topic.available.empty() ? static_cast<int32_t>(random % list->size())
                                : topic.available[random % topic.available.size()];
  topic.sticky = now;
  return now;
}

void Accumulator::move_sticky(Partition& from) {
  from.sticky_bytes = 0;
  Topic& topic = from.topic;
  const Topic::List* list = topic.partitions.load(std::memory_order_acquire);
  std::lock_guard lock(topic.mutex);
  if (topic.sticky != from.index) return;
  if (topic.random == 0) topic.random = random_.next() | 1;
  auto random = static_cast<uint32_t>(next_random(topic.random));
  if (topic.available.empty()) {
    topic.sticky = static_cast<int32_t>(random % list->size());
    return;
  }
  if (!adaptive_) {
    topic.sticky = topic.available[random % topic.available.size()];
    return;
  }
  std::vector<int32_t> candidates, queued;
  int64_t now = availability_timeout_ > Duration::zero() ? clock_.now().nanos : 0;
  for (int32_t index : topic.available) {
    const Partition& partition = *(*list)[static_cast<size_t>(index)];
    if (now != 0) {
      Leader* leader = partition.leader;
      int64_t stalled = leader == nullptr ? 0 : leader->stalled_since.load(std::memory_order_relaxed);
      if (stalled != 0 && now - stalled > availability_timeout_.count()) continue;
    }
    candidates.push_back(index);
    queued.push_back(partition.queued.load(std::memory_order_relaxed));
  }
  if (candidates.empty()) {
    topic.sticky = topic.available[random % topic.available.size()];
  } else {
    topic.sticky = candidates[choose_by_queue(queued, random)];
  }
}

void Accumulator::close() {
  closed_ = true;
  memory_.close();
}

BatchPtr Accumulator::pop(Partition& partition, bool open_too) {
  std::lock_guard lock(partition.mutex);
  BatchPtr batch;
  if (!partition.full.empty()) {
    batch = std::move(partition.full.front());
    partition.full.pop_front();
  } else if (open_too) {
    batch = std::move(partition.open);
  }
  if (batch) partition.queued.fetch_sub(1, std::memory_order_relaxed);
  return batch;
}

std::optional<MonotonicTime> Accumulator::due(Partition& partition) {
  std::lock_guard lock(partition.mutex);
  if (!partition.full.empty()) return MonotonicTime{};
  if (!partition.open) return std::nullopt;
  return partition.open->created() + linger_;
}

void Accumulator::close_open(Partition& partition) {
  std::lock_guard lock(partition.mutex);
  if (partition.open) partition.full.push_back(std::move(partition.open));
}

void Accumulator::learn_ratio(size_t plain, size_t compressed) {
  if (!compressing_ || plain == 0) return;
  auto now = static_cast<int32_t>(std::clamp<size_t>(compressed * 105 / plain, 1, 100));
  auto before = static_cast<int32_t>(ratio_percent_.load(std::memory_order_relaxed));
  // Worse is believed at once, better step by step.
  ratio_percent_ = static_cast<uint32_t>(now > before ? now : before - (before - now + 3) / 4);
}

}  // namespace barnabas::client::producer
