// CreateTopics: the controller decides, and answers when the topics can be written to.

#include "broker/api/admin_timeout.h"
#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"

namespace barnabas::broker {

using wire::CreateTopicsRequest;
using wire::CreateTopicsResponse;

runtime::Task<CreateTopicsResponse> handle(Caller& caller, CreateTopicsRequest request, Broker& broker) {
  int32_t timeout_ms = request.timeout_ms;
  auto response = co_await broker.controller().create_topics(caller.loop, std::move(request));
  say_timed_out(timeout_ms, response.topics);
  co_return response;
}

BARNABAS_API(CreateTopics)

}  // namespace barnabas::broker
