#include "barnabas/share_consumer.h"

#include "client/consumer/share_core.h"

namespace barnabas::client {

Result<ShareConsumer> ShareConsumer::create(const Config& config, ShareConsumerOptions options) {
  auto core = Core::make(config, std::move(options));
  if (!core) return std::unexpected(core.error());
  return ShareConsumer(*std::move(core));
}

ShareConsumer::ShareConsumer(std::shared_ptr<Core> core) : core_(std::move(core)) {}
ShareConsumer::ShareConsumer(ShareConsumer&&) noexcept = default;

ShareConsumer& ShareConsumer::operator=(ShareConsumer&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

ShareConsumer::~ShareConsumer() {
  if (core_) (void)close();
}

Result<> ShareConsumer::subscribe(std::vector<std::string> topics) {
  return core_->subscribe(std::move(topics));
}

Result<> ShareConsumer::unsubscribe() {
  return core_->subscribe({});
}

std::set<std::string> ShareConsumer::subscription() const {
  return core_->subscription();
}

Result<ConsumerRecords> ShareConsumer::poll(Milliseconds timeout) {
  return core_->poll(timeout);
}

void ShareConsumer::wakeup() {
  core_->wakeup();
}

Result<> ShareConsumer::acknowledge(const ConsumerRecord& record, Acknowledgement outcome) {
  return core_->acknowledge(record, outcome);
}

Future<std::map<TopicPartition, Result<>>> ShareConsumer::commit() {
  return core_->commit();
}

Result<> ShareConsumer::close(Milliseconds limit) {
  return core_->close(limit);
}

}  // namespace barnabas::client
