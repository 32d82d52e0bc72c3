// CreatePartitions: the controller adds partitions to topics.

#include "broker/api/admin_timeout.h"
#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"

namespace barnabas::broker {

using wire::CreatePartitionsRequest;
using wire::CreatePartitionsResponse;

runtime::Task<CreatePartitionsResponse> handle(Caller& caller, CreatePartitionsRequest request, Broker& broker) {
  int32_t timeout_ms = request.timeout_ms;
  auto response = co_await broker.controller().create_partitions(caller.loop, std::move(request));
  say_timed_out(timeout_ms, response.results);
  co_return response;
}

BARNABAS_API(CreatePartitions)

}  // namespace barnabas::broker
