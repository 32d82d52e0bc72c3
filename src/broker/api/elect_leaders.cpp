// ElectLeaders: the controller moves leadership, to the preferred replicas or to whoever is left.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"

namespace barnabas::broker {

using wire::ElectLeadersRequest;
using wire::ElectLeadersResponse;

runtime::Task<ElectLeadersResponse> handle(Caller& caller, ElectLeadersRequest request, Broker& broker) {
  auto response = co_await broker.controller().elect_leaders(caller.loop, std::move(request));
  co_return response;
}

BARNABAS_API(ElectLeaders)

}  // namespace barnabas::broker
