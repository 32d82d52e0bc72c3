// InitProducerId: a producer id for an idempotent producer. Each call gives a new one; what the request says of an
// earlier id matters to transactions only.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/producer_ids.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"

namespace barnabas::broker {

using wire::InitProducerIdRequest;
using wire::InitProducerIdResponse;
using wire::KafkaError;

namespace {

KafkaError check(const InitProducerIdRequest& request) {
  bool half_an_id = (request.producer_id == -1) != (request.producer_epoch == -1);
  if (half_an_id) return KafkaError::kInvalidRequest;
  if (!request.transactional_id) return KafkaError::kNone;
  // There is no transaction coordinator to wait for: the client had better fail at once than retry for ever.
  return request.transactional_id->empty() ? KafkaError::kInvalidRequest : KafkaError::kUnsupportedVersion;
}

}  // namespace

runtime::Task<InitProducerIdResponse> handle(Caller& caller, InitProducerIdRequest request, Broker& broker) {
  InitProducerIdResponse response;
  response.producer_epoch = -1;
  response.error_code = check(request);
  if (response.error_code != KafkaError::kNone) co_return response;
  auto id = co_await broker.producer_ids().next(caller.loop);
  if (!id) {
    response.error_code = KafkaError::kCoordinatorLoadInProgress;
    co_return response;
  }
  response.producer_id = *id;
  response.producer_epoch = 0;
  co_return response;
}

BARNABAS_API(InitProducerId)

}  // namespace barnabas::broker
