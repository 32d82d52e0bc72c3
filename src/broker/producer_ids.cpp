#include "broker/producer_ids.h"

#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/allocate_producer_ids_request.h"
#include "wire/messages/allocate_producer_ids_response.h"

namespace barnabas::broker {

std::optional<int64_t> ProducerIds::take() {
  std::lock_guard lock(mutex_);
  if (next_ == end_) return std::nullopt;
  return next_++;
}

runtime::Task<std::optional<int64_t>> ProducerIds::next(runtime::Executor& home) {
  if (auto id = take()) co_return id;
  {
    std::lock_guard lock(mutex_);
    // Somebody asks already: one block is enough, and the client comes back.
    if (asking_) co_return std::nullopt;
    asking_ = true;
  }
  wire::AllocateProducerIdsRequest request;
  request.broker_id = broker_.id().value;
  const metadata::Broker* self = broker_.image()->broker(broker_.id());
  request.broker_epoch = self ? self->epoch.value : -1;
  auto response = co_await broker_.controller().allocate_producer_ids(home, std::move(request));
  {
    std::lock_guard lock(mutex_);
    asking_ = false;
    if (response.error_code == wire::KafkaError::kNone) {
      next_ = response.producer_id_start;
      end_ = next_ + response.producer_id_len;
    }
  }
  co_return take();
}

}  // namespace barnabas::broker
