// UnregisterBroker: the controller forgets a broker that is gone for good.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"

namespace barnabas::broker {

using wire::UnregisterBrokerRequest;
using wire::UnregisterBrokerResponse;

runtime::Task<UnregisterBrokerResponse> handle(Caller& caller, UnregisterBrokerRequest request, Broker& broker) {
  auto response = co_await broker.controller().unregister_broker(caller.loop, std::move(request));
  co_return response;
}

BARNABAS_API(UnregisterBroker)

}  // namespace barnabas::broker
