#include "client/consumer/fetcher.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace barnabas::client {

namespace {

using wire::KafkaError;

constexpr int16_t kLastVersionByName = 12;
constexpr int64_t kIdleMs = 30000;

}  // namespace

struct Fetcher::Planned {
  PartitionPtr partition;
  uint64_t version = 0;
  FetchWish wish;
};

struct Fetcher::Broker {
  Broker(int32_t broker, runtime::Executor& loop) : id(broker), bell(loop) {}
  int32_t id;
  Bell bell;
  FetchSession session;
  int failures = 0;
};

void Fetcher::wake() {
  if (context_.scope.token().requested()) return;
  std::set<int32_t> wanted;
  {
    MonotonicTime now = context_.now();
    std::lock_guard lock(context_.state.mutex);
    for (const auto& [at, partition] : context_.state.assigned) {
      int32_t broker = read_from(*partition, now);
      if (partition->phase == PositionPhase::kFetching && broker >= 0) wanted.insert(broker);
    }
  }
  for (int32_t id : wanted) {
    auto& broker = brokers_[id];
    if (broker) continue;
    broker = std::make_shared<Broker>(id, context_.loop);
    context_.scope.spawn(run(broker));
  }
  for (auto& [id, broker] : brokers_) broker->bell.ring();
}

// Under the lock.
int32_t Fetcher::read_from(PartitionState& partition, MonotonicTime now) const {
  if (partition.preferred >= 0 && partition.preferred_until > now) return partition.preferred;
  partition.preferred = -1;
  return partition.leader;
}

std::vector<Fetcher::Planned> Fetcher::make_plan(int32_t broker, MonotonicTime& next) {
  MonotonicTime now = context_.now();
  next = now + milliseconds(kIdleMs);
  auto known = context_.cluster.metadata();
  std::vector<Planned> plan;
  std::lock_guard lock(context_.state.mutex);
  ConsumerState& state = context_.state;
  if (state.ready_bytes[broker] >=
      std::min<size_t>(kAheadBytes, static_cast<size_t>(context_.settings.fetch_max_bytes))) {
    // What is paused does not count for others, but it is not worth more care.
    if (state.any_ready()) {
      state.fetching_paused = true;
      return plan;
    }
  }
  for (const auto& [at, partition] : state.assigned) {
    if (partition->phase != PositionPhase::kFetching || partition->paused || partition->held) continue;
    if (read_from(*partition, now) != broker) continue;
    if (partition->retry_at > now) {
      next = std::min(next, partition->retry_at);
      continue;
    }
    FetchWish wish;
    wish.topic = partition->topic;
    const auto* topic = known ? known->topic(at.topic) : nullptr;
    if (topic) wish.topic_id = topic->id;
    wish.partition = at.partition;
    wish.offset = partition->fetch_from;
    wish.leader_epoch = partition->leader_epoch;
    wish.max_bytes = context_.settings.max_partition_fetch_bytes;
    plan.push_back({partition, partition->version, std::move(wish)});
  }
  return plan;
}

runtime::Task<> Fetcher::run(std::shared_ptr<Broker> broker) {
  auto token = context_.scope.token();
  while (!token.requested()) {
    MonotonicTime next = kFarAway;
    auto plan = make_plan(broker->id, next);
    if (plan.empty()) {
      co_await broker->bell.wait(next, token);
      continue;
    }
    co_await fetch_once(broker, std::move(plan));
    if (refresh_) context_.cluster.request_refresh();
    refresh_ = false;
    if (broker->failures > 0 && !token.requested()) {
      co_await context_.cluster.back_off(broker->failures - 1, kFarAway);
    }
  }
}

runtime::Task<> Fetcher::fetch_once(std::shared_ptr<Broker> broker, std::vector<Planned> plan) {
  const ConsumerSettings& settings = context_.settings;
  auto deadline = context_.in_ms(settings.request_timeout_ms);
  auto connection = co_await context_.cluster.connection(Target::of(broker->id, kPurposeFetch), deadline);
  if (!connection) {
    ++broker->failures;
    broker->session.lost();
    refresh_ = true;
    {
      std::lock_guard lock(context_.state.mutex);
      for (auto& planned : plan) planned.partition->preferred = -1;
    }
    co_return;
  }
  bool ids = std::ranges::none_of(plan, [](const auto& planned) { return planned.wish.topic_id.is_zero(); });
  auto version =
      (*connection)->version_of<wire::FetchRequest>(ids ? wire::FetchRequest::kMaxVersion : kLastVersionByName);
  if (!version) {
    context_.report(version.error());
    broker->failures = 10;
    co_return;
  }
  wire::FetchRequest request;
  request.max_wait_ms = static_cast<int32_t>(settings.fetch_max_wait_ms);
  request.min_bytes = settings.fetch_min_bytes;
  request.max_bytes = settings.fetch_max_bytes;
  request.isolation_level = settings.read_committed ? 1 : 0;
  request.rack_id = settings.client_rack;
  std::vector<FetchWish> wishes;
  wishes.reserve(plan.size());
  for (const auto& planned : plan) wishes.push_back(planned.wish);
  broker->session.fill(request, wishes, *version > kLastVersionByName);
  auto limit = milliseconds(settings.fetch_max_wait_ms + settings.request_timeout_ms);
  auto answer = co_await (*connection)->call<wire::FetchResponse>(request, *version, limit);
  if (!answer) {
    broker->session.lost();
    ++broker->failures;
    refresh_ = true;
    co_return;
  }
  if (!broker->session.settle(answer->message)) {
    auto error = answer->message.error_code;
    bool session_only = error == KafkaError::kFetchSessionIdNotFound || error == KafkaError::kInvalidFetchSessionEpoch;
    broker->failures = session_only ? 0 : broker->failures + 1;
    refresh_ |= !session_only;
    co_return;
  }
  broker->failures = 0;
  settle(*broker, plan, answer->message, answer->frame, *version);
}

void Fetcher::settle(Broker& broker, const std::vector<Planned>& plan, const wire::FetchResponse& response,
                     const std::shared_ptr<const Buffer>& frame, int16_t version) {
  std::vector<BrokerNode> endpoints;
  for (const auto& node : response.node_endpoints) endpoints.push_back({node.node_id, node.host, node.port, node.rack});
  bool by_id = version > kLastVersionByName;
  struct Moved {
    TopicPartition at;
    int32_t leader, epoch;
  };
  std::vector<Moved> moved;
  {
    std::lock_guard lock(context_.state.mutex);
    for (const auto& topic : response.responses) {
      for (const auto& data : topic.partitions) {
        auto planned = std::ranges::find_if(plan, [&](const Planned& entry) {
          if (entry.wish.partition != data.partition_index) return false;
          return by_id ? entry.wish.topic_id == topic.topic_id : *entry.wish.topic == topic.topic;
        });
        if (planned == plan.end()) continue;
        settle_partition(*planned, data, frame, broker.id);
        if (data.current_leader.leader_epoch > planned->partition->leader_epoch) {
          moved.push_back({planned->partition->at, data.current_leader.leader_id, data.current_leader.leader_epoch});
        }
      }
    }
  }
  for (const auto& change : moved) {
    context_.cluster.learn_leader(change.at.topic, change.at.partition, change.leader, change.epoch, endpoints);
  }
  context_.notify();
}

void Fetcher::settle_partition(const Planned& planned, const wire::FetchResponse::PartitionData& data,
                               const std::shared_ptr<const Buffer>& frame, int32_t broker) {
  PartitionState& partition = *planned.partition;
  if (partition.version != planned.version || partition.fetch_from != planned.wish.offset) return;
  if (partition.phase != PositionPhase::kFetching) return;
  if (data.error_code != KafkaError::kNone) return settle_error(partition, data, broker);
  if (data.preferred_read_replica >= 0) {
    partition.preferred = data.preferred_read_replica;
    partition.preferred_until = context_.in_ms(context_.settings.metadata_max_age_ms);
    context_.fetch();
    return;
  }
  int64_t end = context_.settings.read_committed ? data.last_stable_offset : data.high_watermark;
  if (end >= 0) partition.end = end;
  if (data.log_start_offset >= 0) partition.log_start = data.log_start_offset;
  if (data.records && data.records->size() > 0) settle_records(planned, data, frame, broker);
}

void Fetcher::settle_records(const Planned& planned, const wire::FetchResponse::PartitionData& data,
                             const std::shared_ptr<const Buffer>& frame, int32_t broker) {
  PartitionState& partition = *planned.partition;
  BytesView bytes = data.records->bytes;
  auto end = end_of_batches(bytes);
  if (end && end->first > partition.fetch_from) {
    partition.fetch_from = end->first;
  } else {
    partition.retry_at = context_.in_ms(context_.settings.retry_backoff_ms);
    if (!end && bytes.size() < wire::kBatchOverhead) return;  // cut short: nothing was read
  }
  std::vector<AbortedRange> aborted;
  if (context_.settings.read_committed && data.aborted_transactions) {
    for (const auto& entry : *data.aborted_transactions) aborted.push_back({entry.producer_id, entry.first_offset});
  }
  FetchedRecords::Options options{context_.settings.check_crcs, context_.settings.read_committed};
  context_.state.ready_bytes[broker] += bytes.size();
  context_.state.ready.push_back({planned.partition, planned.version, broker,
                                  FetchedRecords(partition.topic, partition.at.partition, frame, bytes,
                                                 std::move(aborted), planned.wish.offset, options)});
}

void Fetcher::settle_error(PartitionState& partition, const wire::FetchResponse::PartitionData& data, int32_t broker) {
  ConsumerState& state = context_.state;
  partition.retry_at = context_.in_ms(context_.settings.retry_backoff_ms);
  switch (data.error_code) {
    case KafkaError::kOffsetOutOfRange:
      if (partition.fetch_from != partition.position) return;  // first what was read ahead
      if (broker != partition.leader) {
        partition.preferred = -1;
        return;
      }
      state.request_reset(partition, context_.settings.offset_reset);
      context_.positions_due.ring();
      return;
    case KafkaError::kTopicAuthorizationFailed:
    case KafkaError::kCorruptMessage:
      state.errors.push_back(broker_error(data.error_code, "topic " + partition.at.topic));
      partition.retry_at = context_.in_ms(context_.settings.retry_backoff_max_ms);
      return;
    default:
      partition.preferred = -1;
      refresh_ = true;
      return;
  }
}

runtime::Task<> Fetcher::close(MonotonicTime deadline) {
  for (auto& [id, broker] : brokers_) {
    wire::FetchRequest request;
    if (!broker->session.fill_close(request)) continue;
    auto connection = context_.cluster.connected(id);
    if (!connection) continue;
    auto version = connection->version_of<wire::FetchRequest>();
    if (!version) continue;
    auto answer =
        co_await connection->call<wire::FetchResponse>(request, *version, context_.cluster.left_until(deadline));
    (void)answer;
  }
}

}  // namespace barnabas::client
