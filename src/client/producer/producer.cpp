#include "barnabas/producer.h"

#include "client/producer/core.h"

namespace barnabas::client {

namespace {
Error no_producer() {
  return {.kind = Error::Kind::kClosed, .message = "the producer was moved away", .fatal = true};
}
}  // namespace

Result<Producer> Producer::create(const Config& config, ProducerOptions options) {
  auto settings = producer_settings(config);
  if (!settings) return std::unexpected(settings.error());
  auto runtime = RuntimeLoop::of(options.runtime);
  auto core = std::make_shared<Core>(*std::move(settings), std::move(options), std::move(runtime));
  core->start();
  return Producer(std::move(core));
}

Producer::Producer(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Producer::Producer(Producer&&) noexcept = default;

Producer& Producer::operator=(Producer&& other) noexcept {
  if (this != &other) {
    if (core_) static_cast<void>(close(core_->close_limit()));
    core_ = std::move(other.core_);
  }
  return *this;
}

Producer::~Producer() {
  if (core_) static_cast<void>(close(core_->close_limit()));
}

Future<RecordMetadata> Producer::send(const ProducerRecord& record) {
  Promise<RecordMetadata> promise;
  auto future = promise.future();
  send(record, [promise = std::move(promise)](Result<RecordMetadata> result) { promise.set(std::move(result)); });
  return future;
}

void Producer::send(const ProducerRecord& record, Callback callback) {
  if (!core_) return callback(std::unexpected(no_producer()));
  auto taken = core_->send(record, 0, &callback);
  if (!taken) core_->refuse(callback, taken.error());
}

Result<> Producer::send_tagged(const ProducerRecord& record, uint64_t tag) {
  if (!core_) return std::unexpected(no_producer());
  return core_->send(record, tag, nullptr);
}

Future<> Producer::flush() {
  if (!core_) return ready_future<void>(std::unexpected(no_producer()));
  return core_->flush();
}

Future<std::vector<Producer::PartitionInfo>> Producer::partitions_for(std::string topic) {
  if (!core_) return ready_future<std::vector<PartitionInfo>>(std::unexpected(no_producer()));
  return core_->partitions_for(std::move(topic));
}

Future<> Producer::init_transactions() {
  if (!core_) return ready_future<void>(std::unexpected(no_producer()));
  return core_->init_transactions();
}

Result<> Producer::begin_transaction() {
  if (!core_) return std::unexpected(no_producer());
  return core_->begin_transaction();
}

Future<> Producer::send_offsets_to_transaction(std::map<TopicPartition, OffsetAndMetadata> offsets,
                                               ConsumerGroupMetadata group) {
  if (!core_) return ready_future<void>(std::unexpected(no_producer()));
  return core_->send_offsets(std::move(offsets), std::move(group));
}

Future<> Producer::commit_transaction() {
  if (!core_) return ready_future<void>(std::unexpected(no_producer()));
  return core_->commit_transaction();
}

Future<> Producer::abort_transaction() {
  if (!core_) return ready_future<void>(std::unexpected(no_producer()));
  return core_->abort_transaction();
}

ProducerMetrics Producer::metrics() const {
  return core_ ? core_->metrics() : ProducerMetrics{};
}

Result<> Producer::close(Milliseconds limit) {
  return core_ ? core_->close(limit) : Result<>{};
}

}  // namespace barnabas::client
