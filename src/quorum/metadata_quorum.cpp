#include "quorum/metadata_quorum.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "metadata/bootstrap.h"
#include "metadata/features.h"
#include "metadata/record_versions.h"
#include "metadata/snapshot.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"
#include "wire/reader.h"
#include "wire/record_batch.h"

namespace barnabas::quorum {

namespace {

controller::Options controller_options(runtime::World& world, const MetadataQuorumOptions& options,
                                       const raft::LogIndex& index) {
  controller::Options result{.cluster_id = options.cluster_id,
                             .session_timeout = milliseconds(options.config.broker_session_timeout_ms),
                             .noop_interval = milliseconds(options.config.max_idle_interval_ms),
                             .default_partitions = options.default_partitions,
                             .default_replication_factor = options.default_replication_factor,
                             .random = [&world] { return world.random.next(); }};
  // NoOps tell others how far behind they are. A lone voter has nobody to tell, and need not wake twice a second.
  if (index.voters().size() <= 1) result.noop_interval = Duration(0);
  return result;
}

raft::Options raft_options(runtime::World& world, const MetadataQuorumOptions& options) {
  return {.self = {options.node_id, options.directory_id},
          .cluster_id = options.cluster_id,
          .endpoints = options.endpoints,
          .election_timeout = milliseconds(options.config.election_timeout_ms),
          .fetch_timeout = milliseconds(options.config.fetch_timeout_ms),
          .request_timeout = milliseconds(options.config.request_timeout_ms),
          .retry_backoff = milliseconds(options.config.retry_backoff_ms),
          .election_backoff_max = milliseconds(options.config.election_backoff_max_ms),
          .fetch_max_bytes = options.config.fetch_max_bytes,
          .random = [&world] { return world.random.next(); }};
}

void merge(metadata::Delta& into, metadata::Delta&& from) {
  for (auto& [id, change] : from.topics) {
    auto [at, fresh] = into.topics.try_emplace(id, change);
    if (fresh) continue;
    using Kind = metadata::TopicChange::Kind;
    bool still_new = at->second.kind == Kind::kCreated && change.kind == Kind::kChanged;
    if (!still_new) at->second.kind = change.kind;
    if (change.kind == Kind::kDeleted) at->second.partitions.clear();
    at->second.partitions.insert(change.partitions.begin(), change.partitions.end());
  }
  into.configs.merge(from.configs);
  into.brokers.merge(from.brokers);
  into.controllers.merge(from.controllers);
  into.features.merge(from.features);
  into.quotas.merge(from.quotas);
  into.scram.merge(from.scram);
  into.delegation_tokens.merge(from.delegation_tokens);
  into.acls |= from.acls;
  into.producer_ids |= from.producer_ids;
}

}  // namespace

MetadataQuorum::MetadataQuorum(runtime::World& world, MetadataQuorumOptions options,
                               std::unique_ptr<MetadataStore> store, const controller::ConfigValidator& validator)
    : world_(world),
      loop_(*world.loops[0]),
      options_(std::move(options)),
      store_(std::move(store)),
      controller_(controller_options(world, options_, store_->log_index()), validator),
      image_(metadata::Image::empty()),
      raft_(raft_options(world, options_), store_->persisted(), store_->log_index()),
      scope_(loop_) {
  last_snapshot_ = loop_.clock().now();
}

MetadataQuorum::~MetadataQuorum() = default;

raft::Now MetadataQuorum::raft_now() const {
  return {loop_.clock().now(), loop_.clock().wall_time()};
}

runtime::Task<Result<>> MetadataQuorum::start() {
  int16_t kraft_version = raft_.log().kraft_version();
  controller_.set_kraft_version(kraft_version);
  applied_.set_kraft_version(kraft_version);
  auto replayed = store_->replay([this](const wire::MetadataRecord& record, Offset offset) -> Result<> {
    TRY(controller_.replay(record, offset));
    return applied_.replay(record);
  });
  if (!replayed) co_return replayed;
  applied_.set_provenance(store_->provenance());
  auto built = applied_.build();
  image_ = built.image;
  delta_ = std::move(built.delta);

  carry_out(raft_.start(raft_now()));
  auto active = co_await active_.wait(loop_);
  if (failure_) co_return std::unexpected(*failure_);
  CHECK(active.has_value());
  if (controller_.needs_bootstrap()) {
    auto records = store_->bootstrap_records();
    if (records.empty()) records = metadata::bootstrap_records(metadata::default_levels());
    auto done = append(controller_.bootstrap(records));
    co_await done.wait(loop_);
    if (failure_) co_return std::unexpected(*failure_);
  }
  co_return Result<>{};
}

void MetadataQuorum::publish_to(Publisher publisher) {
  publisher_ = std::move(publisher);
  start_publishing();
}

void MetadataQuorum::start_publishing() {
  if (publishing_) return;
  publishing_ = true;
  scope_.spawn(publish_loop());
}

runtime::Completion<bool> MetadataQuorum::append(std::vector<wire::MetadataRecord> records) {
  runtime::Completion<bool> done;
  if (failure_ || stopping_) {
    done.set(false);
    return done;
  }
  int16_t metadata_version = controller_.image().metadata_version();
  // The first records of a cluster say the level themselves.
  for (const auto& record : records) {
    const auto* level = std::get_if<wire::FeatureLevelRecord>(&record);
    if (level && level->name == metadata::kMetadataVersion) metadata_version = level->feature_level;
  }
  std::vector<Buffer> values;
  values.reserve(records.size());
  for (const auto& record : records) values.push_back(metadata::encode_at(record, metadata_version));
  Offset base = raft_.end_offset();
  raft::Now now = raft_now();
  auto output = raft_.propose(now, raft_.epoch(), values);
  if (!output) {
    done.set(false);
    return done;
  }
  for (size_t i = 0; i < records.size(); ++i) {
    auto replayed = controller_.replay(records[i], base + static_cast<int64_t>(i));
    CHECK(replayed.has_value(), "the controller cannot replay what it decided");
  }
  pending_.push_back({.end = base + static_cast<int64_t>(records.size()),
                      .timestamp = now.wall,
                      .records = std::move(records),
                      .done = done});
  carry_out(std::move(*output));
  return done;
}

void MetadataQuorum::carry_out(raft::Output output) {
  if (failure_) return;
  if (output.persist) {
    auto persisted = store_->persist(*output.persist, raft_.log().kraft_version(), raft_.voters());
    if (!persisted) return fatal(persisted.error());
  }
  auto& after = output.after_persist;
  log::Log& log = store_->log();
  if (after.truncate_to) {
    auto truncated = log.truncate_to(*after.truncate_to);
    if (!truncated) return fatal(truncated.error());
  }
  for (auto& batch : after.append) {
    bytes_since_snapshot_ += batch.bytes.size();
    auto owner = std::make_shared<Buffer>(std::move(batch.bytes));
    auto appended = log.append_as_follower(BytesView(*owner), owner, loop_.clock().wall_time());
    if (!appended) return fatal(appended.error());
  }
  if (!after.append.empty()) {
    auto written = log.write_staged();
    if (!written) return fatal(written.error());
  }
  if (after.flush) start_sync();
  // A quorum of one sends to nobody; who asks over the network is answered here once there is a network.
  CHECK(after.send.empty() && after.reply.empty() && after.serve.empty(), "a lone voter has no peers");
  if (after.committed) apply_committed(*after.committed);
  if (after.leader_change) became_active(*after.leader_change);
  arm_timer();
}

void MetadataQuorum::start_sync() {
  if (sync_under_way_) {
    sync_again_ = true;
    return;
  }
  auto plan = store_->log().sync_plan();
  if (!plan) return fatal(plan.error());
  sync_under_way_ = true;
  auto missing = std::make_shared<size_t>(std::max<size_t>(1, plan->files.size()));
  auto first_error = std::make_shared<Result<>>();
  auto done = [this, synced_plan = *plan, missing, first_error](Result<> result) {
    if (!result && *first_error) *first_error = std::move(result);
    if (--*missing > 0) return;
    sync_under_way_ = false;
    if (*first_error) store_->log().mark_durable(synced_plan);
    synced(std::move(*first_error));
  };
  if (plan->files.empty()) {
    loop_.post([done]() mutable { done(Result<>{}); });
    return;
  }
  for (auto& file : plan->files) file->sync_async(loop_, done);
}

void MetadataQuorum::synced(Result<> result) {
  if (!result) return fatal(result.error());
  bool again = std::exchange(sync_again_, false);
  carry_out(raft_.flushed(raft_now(), store_->log().durable_end()));
  if (again && !failure_) start_sync();
}

void MetadataQuorum::apply_committed(Offset up_to) {
  while (!pending_.empty() && pending_.front().end <= up_to) {
    PendingBatch batch = std::move(pending_.front());
    pending_.pop_front();
    for (const auto& record : batch.records) {
      auto replayed = applied_.replay(record);
      CHECK(replayed.has_value(), "a committed record does not apply");
    }
    applied_.set_provenance({batch.end - 1, raft_.epoch(), batch.timestamp});
    unpublished_.push_back(std::move(batch));
  }
  auto built = applied_.build();
  image_ = built.image;
  merge(delta_, std::move(built.delta));
  maybe_snapshot();
  if (publisher_ && !stopping_) {
    start_publishing();
    return;
  }
  // Nobody follows yet: committed is as good as published.
  for (auto& batch : unpublished_) {
    if (batch.done) batch.done->set(true);
  }
  unpublished_.clear();
}

runtime::Task<> MetadataQuorum::publish_loop() {
  while (!stopping_ && (!delta_.empty() || !unpublished_.empty())) {
    metadata::Delta delta = std::exchange(delta_, {});
    auto batches = std::exchange(unpublished_, {});
    metadata::ImagePtr image = image_;
    co_await publisher_(std::move(delta), image);
    for (auto& batch : batches) {
      if (batch.done) batch.done->set(true);
    }
  }
  publishing_ = false;
}

void MetadataQuorum::became_active(const raft::LeaderChange& change) {
  if (!change.is_self) {
    controller_.deactivate();
    fail_pending();
    return;
  }
  controller_.activate(loop_.clock().now());
  if (!active_.is_set()) active_.set(true);
}

void MetadataQuorum::fatal(const Error& error) {
  if (failure_) return;
  failure_ = error;
  world_.logger.error(fmt::format("the metadata log cannot be written, this controller stops: {}", error.message));
  controller_.deactivate();
  fail_pending();
  if (!active_.is_set()) active_.set(false);
}

void MetadataQuorum::fail_pending() {
  for (auto& batch : pending_) {
    if (batch.done) batch.done->set(false);
  }
  pending_.clear();
}

void MetadataQuorum::arm_timer() {
  if (stopping_ || failure_) return;
  MonotonicTime due = raft_.wake_at();
  if (controller_.active()) due = std::min(due, controller_.wake_at());
  if (timer_ != 0 && timer_at_ == due) return;
  if (timer_ != 0) loop_.cancel(std::exchange(timer_, 0));
  if (due.nanos == INT64_MAX) return;
  timer_at_ = due;
  timer_ = loop_.schedule(due, [this] { tick(); });
}

void MetadataQuorum::tick() {
  timer_ = 0;
  if (stopping_ || failure_) return;
  carry_out(raft_.tick(raft_now()));
  if (controller_.active()) {
    auto due = controller_.tick(loop_.clock().now());
    for (auto& batch : due.batches) append(std::move(batch));
  }
  arm_timer();
}

runtime::Task<wire::DescribeQuorumResponse> MetadataQuorum::describe_quorum(runtime::Executor& home,
                                                                            wire::DescribeQuorumRequest request) {
  co_await runtime::resume_on(loop_);
  wire::DescribeQuorumResponse response;
  raft::Now now = raft_now();
  bool leads = raft_.role() == raft::Role::kLeader;
  for (const auto& asked_topic : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.topic_name = asked_topic.topic_name;
    for (const auto& asked : asked_topic.partitions) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = asked.partition_index;
      bool ours = asked_topic.topic_name == metadata::kClusterMetadataTopic && asked.partition_index == 0;
      if (!ours || !leads) {
        partition.error_code =
            ours ? wire::KafkaError::kNotLeaderOrFollower : wire::KafkaError::kUnknownTopicOrPartition;
        continue;
      }
      partition.leader_id = raft_.leader_id();
      partition.leader_epoch = raft_.epoch().value;
      partition.high_watermark = raft_.high_watermark().value_or(Offset(-1)).value;
      auto add = [](auto& rows, const std::vector<raft::Raft::ReplicaProgress>& replicas) {
        for (const auto& replica : replicas) {
          auto& row = rows.emplace_back();
          row.replica_id = replica.key.id;
          row.replica_directory_id = replica.key.directory;
          row.log_end_offset = replica.end.value;
          row.last_fetch_timestamp = replica.last_fetch;
          row.last_caught_up_timestamp = replica.last_caught_up;
        }
      };
      add(partition.current_voters, raft_.voter_progress(now));
      add(partition.observers, raft_.observer_progress(now));
    }
  }
  for (const raft::Voter& voter : raft_.voters().voters()) {
    auto& node = response.nodes.emplace_back();
    node.node_id = voter.key.id;
    for (const raft::VoterEndpoint& endpoint : voter.endpoints) {
      auto& listener = node.listeners.emplace_back();
      listener.name = endpoint.listener;
      listener.host = endpoint.host;
      listener.port = endpoint.port;
    }
  }
  co_await runtime::resume_on(home);
  co_return response;
}

void MetadataQuorum::maybe_snapshot() {
  auto interval = milliseconds(options_.config.max_snapshot_interval_ms);
  bool by_size = bytes_since_snapshot_ >= static_cast<uint64_t>(options_.config.max_record_bytes_between_snapshots);
  bool by_time = interval.count() > 0 && bytes_since_snapshot_ > 0 && loop_.clock().now() - last_snapshot_ >= interval;
  if (snapshot_under_way_ || stopping_ || (!by_size && !by_time)) return;
  if (raft_.log().kraft_version() == 0 && raft_.voters().empty()) return;
  snapshot_under_way_ = true;
  bytes_since_snapshot_ = 0;
  last_snapshot_ = loop_.clock().now();
  scope_.spawn(write_snapshot(this, image_, raft_.voters().voters()));
}

runtime::Task<> MetadataQuorum::write_snapshot(MetadataQuorum* self, metadata::ImagePtr image,
                                               std::vector<raft::Voter> voters) {
  metadata::SnapshotId id{image->provenance().last_offset + 1, image->provenance().epoch};
  int16_t kraft_version = self->raft_.log().kraft_version();
  TimestampMs now = self->loop_.clock().wall_time();
  auto work = [self, image, voters, id, kraft_version, now]() -> Result<> {
    metadata::Snapshot snapshot{.epoch = id.epoch,
                                .last_contained_log_timestamp = image->provenance().timestamp,
                                .records = metadata::snapshot_records(*image)};
    if (kraft_version >= 1) {
      snapshot.kraft_version = kraft_version;
      Buffer encoded = raft::VoterSet(voters).encode();
      wire::Reader value{BytesView(encoded)};
      TRY_ASSIGN(snapshot.voters, wire::VotersRecord::decode(value, 0));
    }
    Buffer content = metadata::encode_snapshot(snapshot, {now, now, now}, image->metadata_version());
    return self->store_->write_snapshot(id, content);
  };
  auto written = co_await runtime::run_blocking(self->world_.workers, self->loop_, work);
  self->snapshot_under_way_ = false;
  if (!written) {
    // The log still has everything; the next trigger tries again.
    self->world_.logger.warning(fmt::format("cannot write a metadata snapshot: {}", written.error().message));
    co_return;
  }
  if (self->stopping_) co_return;
  self->raft_.snapshot_written({id.epoch, id.end_offset});
  auto cleaned = self->store_->clean(self->options_.config, now);
  if (!cleaned) {
    self->world_.logger.warning(fmt::format("cannot clean the metadata log: {}", cleaned.error().message));
  } else if (*cleaned) {
    self->raft_.log_start_moved(**cleaned);
  }
}

runtime::Task<> MetadataQuorum::stop() {
  stopping_ = true;
  if (timer_ != 0) loop_.cancel(std::exchange(timer_, 0));
  controller_.deactivate();
  fail_pending();
  for (auto& batch : unpublished_) {
    if (batch.done) batch.done->set(true);
  }
  unpublished_.clear();
  delta_ = {};
  scope_.cancel();
  co_await scope_.join();
  while (sync_under_way_) {
    co_await runtime::sleep_for(loop_, milliseconds(1));
  }
  if (!failure_) {
    auto closed = store_->close();
    if (!closed) world_.logger.warning(fmt::format("closing the metadata log: {}", closed.error().message));
  }
}

}  // namespace barnabas::quorum
