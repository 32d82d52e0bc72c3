#include "client/producer/sender.h"

#include <algorithm>

#include "base/check.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "wire/record_batch.h"

namespace barnabas::client::producer {

namespace {

// A broker remembers the last five batches of a producer in a partition (KIP-98).
constexpr size_t kIdempotentInFlightMax = 5;
constexpr size_t kRequestOverhead = 256;
constexpr MonotonicTime kNever{INT64_MAX};

}  // namespace

Sender::Sender(const Environment& environment)
    : cluster_(environment.cluster),
      loop_(environment.cluster.loop()),
      settings_(environment.settings),
      options_(environment.options),
      accumulator_(environment.accumulator),
      topics_(environment.topics),
      sequencer_(environment.sequencer),
      scope_(environment.scope),
      gate_(environment.gate),
      after_pass_(environment.after_pass),
      owner_(environment.owner) {}

void Sender::end() {
  ended_ = true;
  if (timer_ != 0) loop_.cancel(std::exchange(timer_, 0));
}

void Sender::look_at(Partition& partition) {
  to_look_at_.push_back(&partition);
}

void Sender::run_soon() {
  if (run_pending_) return;
  run_pending_ = true;
  loop_.at_end_of_pass([this, owner = owner_()] {
    run_pending_ = false;
    run();
  });
}

void Sender::run() {
  if (ended_) return;
  if (running_) return run_soon();
  running_ = true;
  MonotonicTime now = loop_.clock().now();
  // Before the notes are taken: whoever notes something from now on finds the loop not armed and wakes it.
  accumulator_.set_not_armed();
  for (Partition* noted = accumulator_.take_noted(); noted != nullptr;) {
    Partition* partition = noted;
    noted = noted->next_noted;
    partition->next_noted = nullptr;
    partition->noted = false;
    look_at(*partition);
  }
  run_timers(now);
  resolve_sequences();
  if (sequencer_.bump_if_possible()) to_look_at_.insert(to_look_at_.end(), active_.begin(), active_.end());
  hurry_ = accumulator_.memory().wanted() || accumulator_.closed();
  if (hurry_) to_look_at_.insert(to_look_at_.end(), active_.begin(), active_.end());
  for (size_t i = 0; i < to_look_at_.size(); ++i) look_at_now(*to_look_at_[i], now);
  to_look_at_.clear();
  if (next_expiry_ <= now) expire(now);
  if (stopped_) {
    fail_queued(*why_stopped(), true);
  } else {
    if (sequencer_.idempotent() && !sequencer_.identity().valid() && !active_.empty()) acquire_identity();
    for (size_t i = 0; i < leaders_.size(); ++i) drain(*leaders_[i], now);
  }
  hurry_ = false;
  drop_inactive();
  arm(now);
  running_ = false;
  if (after_pass_) after_pass_();
}

void Sender::look_at_now(Partition& partition, MonotonicTime now) {
  if (!partition.active) {
    partition.active = true;
    active_.push_back(&partition);
    partition.topic.last_used = now;
    if (!partition.topic.tracked) track(partition.topic);
    next_expiry_ = std::min(next_expiry_, now + milliseconds(settings_.delivery_timeout_ms));
  }
  if (partition.in_ready) return;
  auto when = wants_to_send_at(partition, now);
  if (!when) return;
  if (*when > now) return set_timer(partition, *when);
  if (gate_ != nullptr && !gate_->admits(partition)) return;
  queue_at_leader(partition);
}

std::optional<MonotonicTime> Sender::wants_to_send_at(Partition& partition, MonotonicTime now) {
  const auto& in_flight = partition.sequences.in_flight();
  if (partition.sequences.begins_again()) return std::nullopt;
  if (sequencer_.idempotent()) {
    // What waits for another try goes first and alone: the oldest, when nothing before it is under way.
    for (const BatchPtr& batch : in_flight) {
      if (!batch->waits_for_retry) continue;
      if (batch != in_flight.front()) return std::nullopt;
      return batch->retry_at;
    }
    if (in_flight.size() >= kIdempotentInFlightMax) return std::nullopt;
  } else {
    for (const BatchPtr& batch : in_flight) {
      if (batch->waits_for_retry) return batch->retry_at;
    }
  }
  if (settings_.max_in_flight == 1 && !in_flight.empty()) return std::nullopt;
  if (partition.held) return now;
  auto due = accumulator_.due(partition);
  if (due && hurry_) return now;
  return due;
}

void Sender::queue_at_leader(Partition& partition) {
  Leader* leader = partition.leader;
  if (leader == nullptr) {
    // The next metadata looks at it again.
    cluster_.request_refresh();
    return;
  }
  partition.in_ready = true;
  leader->ready.push_back(&partition);
}

void Sender::drain(Leader& leader, MonotonicTime now) {
  if (leader.ready.empty()) {
    leader.stalled_since.store(0, std::memory_order_relaxed);
    return;
  }
  bool stalled = true;
  while (!leader.ready.empty() && leader.in_flight < settings_.max_in_flight) {
    auto connection = cluster_.connected(leader.id);
    if (!connection) {
      connect(leader);
      break;
    }
    Request request;
    request.leader = &leader;
    if (!fill(request, now, gate_ != nullptr ? gate_->produce_version_max() : int16_t{13})) break;
    stalled = false;
    ++leader.in_flight;
    requests_in_flight_.fetch_add(1, std::memory_order_relaxed);
    scope_.spawn(exchange(&leader, std::move(connection), std::move(request)));
  }
  bool busy = leader.in_flight >= settings_.max_in_flight || leader.connecting;
  leader.busy = busy;
  if (!leader.ready.empty() && stalled) {
    if (leader.stalled_since.load(std::memory_order_relaxed) == 0) leader.stalled_since = now.nanos;
  } else {
    leader.stalled_since.store(0, std::memory_order_relaxed);
  }
}

// One batch of each partition that is ready here, in turn. False: there was nothing to send.
bool Sender::fill(Request& request, MonotonicTime now, int16_t) {
  Leader& leader = *request.leader;
  std::vector<Partition*> again;
  for (size_t left = leader.ready.size(); left > 0; --left) {
    Partition& partition = *leader.ready.front();
    if (partition.leader != &leader) {
      leader.ready.pop_front();
      partition.in_ready = false;
      look_at_now(partition, now);
      continue;
    }
    Taken taken = take(partition, request, now);
    if (taken == Taken::kNoRoom) break;
    leader.ready.pop_front();
    partition.in_ready = false;
    // Not before the request is full: it holds one batch a partition.
    if (taken == Taken::kBatch) again.push_back(&partition);
  }
  for (Partition* partition : again) look_at_now(*partition, now);
  return !request.batches.empty();
}

Sender::Taken Sender::take(Partition& partition, Request& request, MonotonicTime now) {
  PartitionSequences& sequences = partition.sequences;
  auto when = wants_to_send_at(partition, now);
  if (!when || *when > now) {
    if (when) set_timer(partition, *when);
    return Taken::kNothing;
  }
  BatchPtr batch;
  for (const BatchPtr& tried : sequences.in_flight()) {
    if (!tried->waits_for_retry) continue;
    batch = tried;
    break;
  }
  bool is_new = batch == nullptr;
  if (is_new) {
    if (!sequencer_.ready_for_new_batch(sequences)) return Taken::kNothing;
    if (!partition.held) partition.held = accumulator_.pop(partition, true);
    if (!partition.held) return Taken::kNothing;
    batch = partition.held;
  }
  // The sequence is settled only when the batch is sure to go.
  size_t size = batch->plain_size();
  if (settings_.compression.codec != wire::Codec::kNone) {
    size = batch->seal(settings_.compression, gate_ != nullptr).size();
  }
  if (!request.batches.empty() &&
      request.bytes + size + kRequestOverhead > static_cast<size_t>(settings_.max_request_bytes)) {
    return Taken::kNoRoom;
  }
  if (is_new) {
    partition.held = nullptr;
    if (sequencer_.idempotent()) sequences.assign(*batch);
    sequences.add_in_flight(batch);
    accumulator_.learn_ratio(batch->plain_size(), size);
  }
  batch->waits_for_retry = false;
  batch->on_the_wire = true;
  if (batch->attempts++ > 0) retries_.fetch_add(1, std::memory_order_relaxed);
  request.bytes += size;
  request.batches.push_back(std::move(batch));
  return Taken::kBatch;
}

void Sender::set_timer(Partition& partition, MonotonicTime when) {
  if (partition.timer_at.nanos != 0 && partition.timer_at <= when) return;
  partition.timer_at = when;
  timers_.push({when, &partition});
}

void Sender::run_timers(MonotonicTime now) {
  while (!timers_.empty() && timers_.top().when <= now) {
    Timer due = timers_.top();
    timers_.pop();
    // An earlier entry may have taken its place.
    if (due.partition->timer_at != due.when) continue;
    due.partition->timer_at = {};
    look_at(*due.partition);
  }
}

void Sender::arm(MonotonicTime now) {
  MonotonicTime next = std::min(timers_.empty() ? kNever : timers_.top().when, next_expiry_);
  if (active_.empty() && timers_.empty()) next = kNever;
  if (next != timer_at_ || timer_ == 0) {
    if (timer_ != 0) loop_.cancel(timer_);
    timer_ = 0;
    timer_at_ = next;
    if (next != kNever) {
      timer_ = loop_.schedule(std::max(next, now), [this] {
        timer_ = 0;
        run();
      });
    }
  }
  if (next != kNever) accumulator_.set_armed(next);
}

Leader& Sender::leader(int32_t id) {
  for (auto& known : leaders_) {
    if (known->id == id) return *known;
  }
  leaders_.push_back(std::make_unique<Leader>(id));
  return *leaders_.back();
}

void Sender::connect(Leader& leader) {
  if (leader.connecting) return;
  leader.connecting = true;
  scope_.spawn(connect_to(&leader));
}

runtime::Task<> Sender::connect_to(Leader* leader) {
  MonotonicTime deadline = cluster_.deadline_in(settings_.request_timeout_ms);
  auto connection = co_await cluster_.connection(Target::of(leader->id), deadline);
  if (!connection) {
    cluster_.request_refresh();
    // Not at once again, whatever the failure: a broker that is gone from the metadata fails without a wait.
    auto slept = co_await cluster_.back_off(0, cluster_.deadline_in(settings_.request_timeout_ms));
    static_cast<void>(slept);
  }
  leader->connecting = false;
  leader->busy = false;
  if (!cluster_.token().requested()) run_soon();
}

void Sender::track(Topic& topic) {
  topic.tracked = true;
  cluster_.track_topics({topic.name}, true);
}

void Sender::take_over(const std::shared_ptr<const ClusterMetadata>& metadata) {
  MonotonicTime now = loop_.clock().now();
  std::vector<std::string> idle;
  for (Topic* topic : topics_.all()) {
    if (const TopicMetadata* known = metadata->topic(topic->name)) take_over(*topic, *known);
    bool used = std::ranges::any_of(topic->owned, [](const auto& partition) { return partition->active; });
    if (used) topic->last_used = now;
    if (topic->tracked && now - topic->last_used > milliseconds(settings_.metadata_max_idle_ms)) {
      topic->tracked = false;
      idle.push_back(topic->name);
    }
  }
  if (!idle.empty()) cluster_.untrack_topics(idle);
  for (Partition* partition : active_) look_at(*partition);
  run_soon();
}

void Sender::take_over(Topic& topic, const TopicMetadata& metadata) {
  if (!metadata.id.is_zero()) topic.id = metadata.id;
  const Topic::List* list = topic.partitions;
  if (metadata.partitions.size() > (list == nullptr ? 0 : list->size())) {
    auto larger = std::make_unique<Topic::List>(list == nullptr ? Topic::List() : *list);
    for (size_t index = larger->size(); index < metadata.partitions.size(); ++index) {
      topic.owned.push_back(std::make_unique<Partition>(topic, static_cast<int32_t>(index)));
      larger->push_back(topic.owned.back().get());
    }
    list = larger.get();
    topic.lists.push_back(std::move(larger));
  }
  if (list == nullptr) return;
  std::vector<int32_t> available;
  for (size_t index = 0; index < list->size(); ++index) {
    int32_t id = index < metadata.partitions.size() ? metadata.partitions[index].leader : -1;
    move_to(*(*list)[index], id < 0 ? nullptr : &leader(id));
    if (id >= 0) available.push_back(static_cast<int32_t>(index));
  }
  {
    std::lock_guard lock(topic.mutex);
    topic.available = std::move(available);
  }
  topic.partitions.store(list, std::memory_order_release);
}

// What waits at the old leader waits for a connection that may never come.
void Sender::move_to(Partition& partition, Leader* leader) {
  Leader* before = partition.leader.exchange(leader);
  if (before == leader || !partition.in_ready) return;
  std::erase(before->ready, &partition);
  partition.in_ready = false;
  look_at(partition);
}

size_t Sender::incomplete() const {
  size_t count = 0;
  for (Partition* partition : active_) {
    count += partition->sequences.in_flight().size() + (partition->held ? 1 : 0) +
             static_cast<size_t>(partition->queued.load());
  }
  return count;
}

void Sender::drop_inactive() {
  std::erase_if(active_, [this](Partition* partition) {
    if (!partition->sequences.in_flight().empty() || partition->held || partition->in_ready) return false;
    if (accumulator_.due(*partition)) return false;
    partition->active = false;
    return true;
  });
}

void Sender::flush(Promise<> done) {
  auto wait = std::make_shared<FlushWait>();
  wait->done = std::move(done);
  wait->left = 1;
  run();
  auto add = [&](const BatchPtr& batch) {
    if (!batch || batch->done()) return;
    ++wait->left;
    batch->flushes.push_back(wait);
  };
  for (Partition* partition : active_) {
    for (const BatchPtr& batch : partition->sequences.in_flight()) add(batch);
    add(partition->held);
    accumulator_.close_open(*partition);
    {
      std::lock_guard lock(partition->mutex);
      for (const BatchPtr& batch : partition->full) add(batch);
    }
    look_at(*partition);
  }
  if (--wait->left == 0) {
    wait->done.set({});
  } else {
    run();
  }
}

ProducerMetrics Sender::metrics() const {
  return {.records_sent = records_sent_,
          .records_failed = records_failed_,
          .batches_sent = batches_sent_,
          .bytes_sent = bytes_sent_,
          .retries = retries_,
          .buffered_bytes = accumulator_.memory().used()};
}

}  // namespace barnabas::client::producer
