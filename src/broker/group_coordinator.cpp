#include "broker/group_coordinator.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "broker/broker.h"
#include "broker/partition.h"
#include "broker/pass_writer.h"
#include "broker/replicas.h"
#include "broker/waiter.h"
#include "group/group_partition.h"
#include "metadata/topic.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "wire/control_record.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::broker {

using wire::KafkaError;

namespace {
constexpr uint32_t kLoadBytes = 1 << 20;
constexpr MonotonicTime kNever{INT64_MAX};
}  // namespace

struct GroupCoordinator::Shard {
  enum class State { kLoading, kReady, kGone };

  Shard(std::shared_ptr<Partition> of, LeaderEpoch at, group::GroupConfig config)
      : partition(std::move(of)), epoch(at), core(std::move(config)) {}

  const std::shared_ptr<Partition> partition;
  const LeaderEpoch epoch;
  std::mutex mutex;  // of what follows
  State state = State::kLoading;
  group::GroupShard core;
  std::map<group::RequestToken, runtime::Completion<group::ReplyBody>> waiting;
  group::RequestToken next_token = 1;
  MonotonicTime next_timer = kNever;
  std::shared_ptr<Waiter> sleeper;  // of the shard's task
  Offset appended_end{0};
  Offset committed{0};
  std::vector<std::pair<Offset, runtime::Completion<bool>>> settling;  // waits for that much to be committed
};

GroupCoordinator::GroupCoordinator(Broker& broker) : broker_(broker), scope_(broker.main_loop()) {}
GroupCoordinator::~GroupCoordinator() = default;

void GroupCoordinator::start() {
  scope_.spawn(expire(this));
}

runtime::Task<> GroupCoordinator::stop() {
  std::map<int32_t, ShardPtr> shards;
  {
    std::unique_lock lock(mutex_);
    shards.swap(shards_);
  }
  for (auto& [index, shard] : shards) resign(*shard);
  scope_.cancel();
  co_await scope_.join();
}

void GroupCoordinator::resign(Shard& shard) {
  std::lock_guard lock(shard.mutex);
  if (shard.state == Shard::State::kGone) return;
  bool loaded = shard.state == Shard::State::kReady;
  shard.state = Shard::State::kGone;
  if (loaded) obey_locked(shard, shard.core.resign(), broker_.main_loop());
  settle_locked(shard, true);
  if (shard.sleeper) shard.sleeper->fire();
}

void GroupCoordinator::settle_locked(Shard& shard, bool all) {
  std::erase_if(shard.settling, [&](auto& waiting) {
    bool over = all || waiting.first <= shard.committed;
    if (over) waiting.second.set(true);
    return over;
  });
}

group::GroupConfig GroupCoordinator::config() const {
  const auto settings = broker_.settings();
  const auto& groups = settings->broker.groups;
  group::GroupConfig config;
  config.group_min_session_timeout_ms = milliseconds(groups.group_min_session_timeout_ms);
  config.group_max_session_timeout_ms = milliseconds(groups.group_max_session_timeout_ms);
  config.group_initial_rebalance_delay_ms = milliseconds(groups.group_initial_rebalance_delay_ms);
  config.group_max_size = groups.group_max_size;
  config.offset_metadata_max_bytes = groups.offset_metadata_max_bytes;
  config.offsets_retention_minutes =
      std::chrono::duration_cast<std::chrono::minutes>(milliseconds(groups.offsets_retention_ms));
  return config;
}

group::Now GroupCoordinator::now() const {
  return {broker_.wall_time(), broker_.now()};
}

// ---- leadership -----------------------------------------------------------------------------------------------------

void GroupCoordinator::leadership_changed(std::shared_ptr<Partition> partition) {
  auto status = partition->status();
  int32_t index = partition->name().index;
  ShardPtr old;
  ShardPtr fresh;
  {
    std::unique_lock lock(mutex_);
    auto found = shards_.find(index);
    bool same =
        found != shards_.end() && found->second->epoch == status.leader_epoch && found->second->partition == partition;
    if (same && status.leader) return;
    if (found != shards_.end()) {
      old = found->second;
      shards_.erase(found);
    }
    if (status.leader && !scope_.token().requested()) {
      fresh = std::make_shared<Shard>(partition, status.leader_epoch, config());
      shards_.emplace(index, fresh);
    }
  }
  if (old) resign(*old);
  if (fresh) scope_.spawn(run(this, fresh));
}

Result<> GroupCoordinator::load(Shard& shard, std::vector<std::string>& complaints) {
  Partition& partition = *shard.partition;
  auto status = partition.status();
  Offset next = status.log_start;
  Offset end = status.high_watermark;
  while (next < end) {
    auto read = partition.read({.from = next, .max_bytes = kLoadBytes, .at_least_one_batch = true});
    if (read.error != KafkaError::kNone) {
      return fail(ErrorCode::kIo,
                  std::string(wire::kafka_error_name(read.error)) + " at offset " + std::to_string(next.value));
    }
    TRY_ASSIGN(Buffer bytes, read.records.to_buffer());
    wire::BatchCursor cursor{BytesView(bytes)};
    Offset before = next;
    while (true) {
      TRY_ASSIGN(auto batch, cursor.next());
      if (!batch) break;
      const wire::BatchHeader& header = batch->header;
      wire::RecordIterator records(header, batch->bytes);
      wire::RecordView record;
      while (records.next(record)) {
        Offset offset = header.first_offset() + record.offset_delta;
        if (!record.key) continue;
        if (header.is_control()) {
          auto marker = wire::decode_control_key(*record.key);
          bool ends =
              marker && (*marker == wire::ControlRecordType::kCommit || *marker == wire::ControlRecordType::kAbort);
          if (ends) {
            shard.core.replay_marker(ProducerId(header.producer_id), *marker == wire::ControlRecordType::kCommit);
          }
          continue;
        }
        auto replayed = shard.core.replay(
            {.offset = offset,
             .producer_id = header.is_transactional() ? ProducerId(header.producer_id) : kNoProducerId,
             .key = *record.key,
             .value = record.value});
        if (!replayed) complaints.push_back(replayed.error().message);
      }
      TRY(records.status());
      next = header.next_offset();
    }
    if (next == before) return fail(ErrorCode::kCorrupt, "no batch at offset " + std::to_string(next.value));
  }
  return {};
}

runtime::Task<> GroupCoordinator::run(GroupCoordinator* self, ShardPtr shard) {
  runtime::Executor& loop = self->broker_.main_loop();
  runtime::Logger& logger = self->broker_.world().logger;
  std::vector<std::string> complaints;
  // Nobody else touches the core while the shard is loading.
  auto work = [self, shard, &complaints] { return self->load(*shard, complaints); };
  auto loaded = co_await runtime::run_blocking(self->broker_.world().workers, loop, work);
  for (const std::string& complaint : complaints) {
    logger.warning(fmt::format("{}: {}", shard->partition->name().to_string(), complaint));
  }
  if (!loaded) {
    // Answering from half of the offsets would send consumers back: the shard stays closed.
    logger.error(fmt::format("cannot load {}: {}; its groups stay unavailable", shard->partition->name().to_string(),
                             loaded.error().message));
    co_return;
  }
  Offset known_high_watermark{0};
  {
    std::lock_guard lock(shard->mutex);
    if (shard->state == Shard::State::kGone) co_return;
    auto status = shard->partition->status();
    known_high_watermark = status.high_watermark;
    shard->state = Shard::State::kReady;
    self->obey_locked(*shard, shard->core.finish_load(self->now()), loop);
  }
  while (!self->scope_.token().requested()) {
    auto waiter = std::make_shared<Waiter>();
    MonotonicTime deadline;
    auto status = shard->partition->status();
    {
      std::lock_guard lock(shard->mutex);
      if (shard->state == Shard::State::kGone) break;
      shard->sleeper = waiter;
      deadline = shard->next_timer;
      if (status.high_watermark > known_high_watermark) {
        known_high_watermark = status.high_watermark;
        auto output = shard->core.on_high_watermark(self->now(), known_high_watermark);
        self->obey_locked(*shard, std::move(output), loop);
        shard->committed = known_high_watermark;
        self->settle_locked(*shard, false);
        continue;
      }
      if (deadline <= self->broker_.now()) {
        auto output = shard->core.tick(self->now());
        self->obey_locked(*shard, std::move(output), loop);
        continue;
      }
    }
    bool ours = status.leader && status.leader_epoch == shard->epoch;
    if (!ours) {
      self->resign(*shard);
      std::unique_lock lock(self->mutex_);
      auto found = self->shards_.find(shard->partition->name().index);
      if (found != self->shards_.end() && found->second == shard) self->shards_.erase(found);
      break;
    }
    bool parked = shard->partition->wait_for_progress(status.progress, waiter);
    if (!parked) continue;
    co_await Waiter::wait(waiter, loop, deadline, self->scope_.token());
  }
}

runtime::Task<> GroupCoordinator::expire(GroupCoordinator* self) {
  runtime::Executor& loop = self->broker_.main_loop();
  while (true) {
    Duration interval = milliseconds(self->broker_.settings()->broker.groups.offsets_retention_check_interval_ms);
    bool elapsed = co_await runtime::sleep_for(loop, interval, self->scope_.token());
    if (!elapsed) break;
    self->for_each_ready(
        [self, &loop](Shard& shard) { self->obey_locked(shard, shard.core.expire_offsets(self->now()), loop); });
  }
}

// ---- what the core asks for -----------------------------------------------------------------------------------------

void GroupCoordinator::obey_locked(Shard& shard, group::Output output, runtime::Executor& loop) {
  // An append that fails has an output of its own, which may append again.
  std::deque<group::Output> outputs;
  outputs.push_back(std::move(output));
  MonotonicTime timer = shard.next_timer;
  while (!outputs.empty()) {
    group::Output current = std::move(outputs.front());
    outputs.pop_front();
    for (group::Append& append : current.appends) {
      wire::BatchBuilder builder({});
      TimestampMs wall = broker_.wall_time();
      for (const group::CoordinatorRecord& record : append.records) {
        builder.add({.timestamp = wall,
                     .key = BytesView(record.key),
                     .value = record.value ? std::optional(BytesView(*record.value)) : std::nullopt});
      }
      auto bytes = std::make_shared<Buffer>(builder.build());
      auto answer = shard.partition->append(
          {.records = MutableBytes(*bytes), .owner = bytes, .acks = -1, .now = wall, .from_client = false});
      if (answer.error == KafkaError::kNone) {
        shard.core.appended(append.sequence, Offset(answer.base_offset));
        shard.appended_end = answer.end;
        broker_.writer_of(loop).dirty(shard.partition);
      } else {
        outputs.push_back(shard.core.append_failed(now(), append.sequence, answer.error));
        break;  // what comes after the failed append is undone with it
      }
    }
    for (group::Reply& reply : current.replies) {
      auto waiting = shard.waiting.find(reply.token);
      if (waiting == shard.waiting.end()) continue;  // its connection is gone
      waiting->second.set(std::move(reply.body));
      shard.waiting.erase(waiting);
    }
    timer = current.next_timer.value_or(kNever);
  }
  bool earlier = timer < shard.next_timer;
  shard.next_timer = timer;
  if (earlier && shard.sleeper) shard.sleeper->fire();
}

// ---- requests -------------------------------------------------------------------------------------------------------

int32_t GroupCoordinator::partition_of(std::string_view group) const {
  const auto image = broker_.image();
  const metadata::Topic* topic = image->topic(metadata::kConsumerOffsetsTopic);
  if (!topic || topic->partition_count() == 0) return -1;
  return group::partition_for(group, topic->partition_count());
}

GroupCoordinator::ShardPtr GroupCoordinator::find(std::string_view group, KafkaError& error) const {
  int32_t index = partition_of(group);
  error = index < 0 ? KafkaError::kCoordinatorNotAvailable : KafkaError::kNotCoordinator;
  std::shared_lock lock(mutex_);
  auto found = shards_.find(index);
  return found == shards_.end() ? nullptr : found->second;
}

runtime::Task<std::expected<group::ReplyBody, KafkaError>> GroupCoordinator::ask(Caller& caller, std::string_view group,
                                                                                 Decide decide) {
  KafkaError error{};
  ShardPtr shard = find(group, error);
  if (!shard) co_return std::unexpected(error);
  runtime::Completion<group::ReplyBody> reply;
  group::RequestToken token = 0;
  {
    std::lock_guard lock(shard->mutex);
    if (shard->state == Shard::State::kLoading) co_return std::unexpected(KafkaError::kCoordinatorLoadInProgress);
    if (shard->state == Shard::State::kGone) co_return std::unexpected(KafkaError::kNotCoordinator);
    token = shard->next_token++;
    shard->waiting.emplace(token, reply);
    group::Caller who{.token = token,
                      .api_version = caller.api_version,
                      .client_id = std::string(caller.client_id),
                      .client_host = "/" + caller.connection.peer.host,
                      .fresh_uuid = broker_.world().random.uuid()};
    obey_locked(*shard, decide(shard->core, who, now()), caller.loop);
  }
  auto body = co_await reply.wait(caller.loop, caller.token);
  if (!body) {
    // The connection ends: whatever comes later goes nowhere.
    std::lock_guard lock(shard->mutex);
    shard->waiting.erase(token);
    co_return std::unexpected(KafkaError::kCoordinatorNotAvailable);
  }
  co_return std::move(*body);
}

runtime::Task<> GroupCoordinator::settled(Caller& caller, std::optional<std::string_view> group) {
  std::vector<ShardPtr> shards;
  if (group) {
    KafkaError error{};
    if (ShardPtr shard = find(*group, error)) shards.push_back(std::move(shard));
  } else {
    std::shared_lock lock(mutex_);
    for (const auto& [index, shard] : shards_) shards.push_back(shard);
  }
  for (const ShardPtr& shard : shards) {
    runtime::Completion<bool> done;
    {
      std::lock_guard lock(shard->mutex);
      if (shard->state != Shard::State::kReady || shard->appended_end <= shard->committed) continue;
      shard->settling.emplace_back(shard->appended_end, done);
    }
    co_await done.wait(caller.loop, caller.token);
  }
}

KafkaError GroupCoordinator::read(std::string_view group, const std::function<void(const group::GroupShard&)>& look) {
  KafkaError error{};
  ShardPtr shard = find(group, error);
  if (!shard) return error;
  std::lock_guard lock(shard->mutex);
  if (shard->state == Shard::State::kLoading) return KafkaError::kCoordinatorLoadInProgress;
  if (shard->state == Shard::State::kGone) return KafkaError::kNotCoordinator;
  look(shard->core);
  return KafkaError::kNone;
}

KafkaError GroupCoordinator::read_all(const std::function<void(const group::GroupShard&)>& look) {
  std::vector<ShardPtr> shards;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [index, shard] : shards_) shards.push_back(shard);
  }
  KafkaError error = KafkaError::kNone;
  for (const ShardPtr& shard : shards) {
    std::lock_guard lock(shard->mutex);
    if (shard->state == Shard::State::kLoading) error = KafkaError::kCoordinatorLoadInProgress;
    if (shard->state == Shard::State::kReady) look(shard->core);
  }
  return error;
}

void GroupCoordinator::for_each_ready(const std::function<void(Shard&)>& visit) {
  std::vector<ShardPtr> shards;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [index, shard] : shards_) shards.push_back(shard);
  }
  for (const ShardPtr& shard : shards) {
    std::lock_guard lock(shard->mutex);
    if (shard->state == Shard::State::kReady) visit(*shard);
  }
}

void GroupCoordinator::settings_changed() {
  for_each_ready([this](Shard& shard) { shard.core.set_config(config()); });
}

void GroupCoordinator::topic_deleted(const std::string& name, const Uuid& id) {
  for_each_ready(
      [&](Shard& shard) { obey_locked(shard, shard.core.topic_deleted(now(), name, id), broker_.main_loop()); });
}

}  // namespace barnabas::broker
