#include "barnabas/consumer.h"

#include "client/consumer/core.h"
#include "client/consumer/offset_lookup.h"

namespace barnabas::client {

Result<Consumer> Consumer::create(const Config& config, ConsumerOptions options) {
  auto core = Core::make(config, std::move(options));
  if (!core) return std::unexpected(core.error());
  return Consumer(*std::move(core));
}

Consumer::Consumer(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Consumer::Consumer(Consumer&&) noexcept = default;

Consumer& Consumer::operator=(Consumer&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

Consumer::~Consumer() {
  if (core_) (void)close();
}

Result<> Consumer::subscribe(std::vector<std::string> topics, RebalanceListener listener) {
  if (topics.empty()) return unsubscribe().get();
  return core_->subscribe(SubscriptionMode::kTopics, std::move(topics), {}, std::move(listener));
}

Result<> Consumer::subscribe_pattern(std::string pattern, RebalanceListener listener) {
  return core_->subscribe(SubscriptionMode::kPattern, {}, std::move(pattern), std::move(listener));
}

Result<> Consumer::assign(std::vector<TopicPartition> partitions) {
  return core_->assign(std::move(partitions));
}

Future<> Consumer::unsubscribe() {
  return core_->unsubscribe();
}

std::vector<TopicPartition> Consumer::assignment() const {
  std::lock_guard lock(core_->state().mutex);
  return core_->state().partitions();
}

std::set<std::string> Consumer::subscription() const {
  std::lock_guard lock(core_->state().mutex);
  return core_->state().topics;
}

ConsumerGroupMetadata Consumer::group_metadata() const {
  std::lock_guard lock(core_->state().mutex);
  return core_->state().group;
}

Result<> Consumer::enforce_rebalance() {
  return core_->enforce_rebalance();
}

Result<ConsumerRecords> Consumer::poll(Milliseconds timeout) {
  return core_->poll(timeout);
}

Future<ConsumerRecords> Consumer::next(Milliseconds timeout) {
  return core_->next(timeout);
}

void Consumer::wakeup() {
  core_->wakeup();
}

Future<> Consumer::commit() {
  return core_->commit(std::nullopt);
}

Future<> Consumer::commit(std::map<TopicPartition, OffsetAndMetadata> offsets) {
  return core_->commit(std::move(offsets));
}

void Consumer::commit_async(std::function<void(const Result<>&)> done) {
  core_->commit_async(std::move(done));
}

Result<> Consumer::seek(const TopicPartition& partition, int64_t offset) {
  return core_->seek(partition, offset);
}

Result<> Consumer::seek_to_beginning(std::span<const TopicPartition> partitions) {
  return core_->reset_to(partitions, OffsetReset::kEarliest);
}

Result<> Consumer::seek_to_end(std::span<const TopicPartition> partitions) {
  return core_->reset_to(partitions, OffsetReset::kLatest);
}

Future<> Consumer::seek_to_time(std::vector<TopicPartition> partitions, Timestamp time) {
  return core_->seek_to_time(std::move(partitions), time);
}

Result<> Consumer::pause(std::span<const TopicPartition> partitions) {
  return core_->set_paused(partitions, true);
}

Result<> Consumer::resume(std::span<const TopicPartition> partitions) {
  return core_->set_paused(partitions, false);
}

std::vector<TopicPartition> Consumer::paused() const {
  std::lock_guard lock(core_->state().mutex);
  std::vector<TopicPartition> paused;
  for (const auto& [at, partition] : core_->state().assigned) {
    if (partition->paused) paused.push_back(at);
  }
  return paused;
}

Future<int64_t> Consumer::position(TopicPartition partition) {
  return core_->position(std::move(partition));
}

Future<std::map<TopicPartition, std::optional<OffsetAndMetadata>>> Consumer::committed(
    std::vector<TopicPartition> partitions) {
  return core_->committed(std::move(partitions));
}

std::optional<int64_t> Consumer::current_lag(const TopicPartition& partition) const {
  std::lock_guard lock(core_->state().mutex);
  auto state = core_->state().find(partition);
  if (!state || state->position < 0 || state->end < 0) return std::nullopt;
  return std::max<int64_t>(0, state->end - state->position);
}

Future<std::map<TopicPartition, int64_t>> Consumer::beginning_offsets(std::vector<TopicPartition> partitions) {
  return core_->edge_offsets(std::move(partitions), kEarliestTime);
}

Future<std::map<TopicPartition, int64_t>> Consumer::end_offsets(std::vector<TopicPartition> partitions) {
  return core_->edge_offsets(std::move(partitions), kLatestTime);
}

Future<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> Consumer::offsets_for_times(
    std::map<TopicPartition, Timestamp> times) {
  return core_->offsets_for_times(std::move(times));
}

Future<std::vector<TopicPartition>> Consumer::partitions_for(std::string topic) {
  return core_->partitions_for(std::move(topic));
}

Result<> Consumer::close(Milliseconds limit) {
  return core_->close(limit);
}

}  // namespace barnabas::client
