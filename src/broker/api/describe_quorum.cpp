// DescribeQuorum: the voters of the metadata log and how far each is; only their leader knows.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"

namespace barnabas::broker {

using wire::DescribeQuorumRequest;
using wire::DescribeQuorumResponse;

runtime::Task<DescribeQuorumResponse> handle(Caller& caller, DescribeQuorumRequest request, Broker& broker) {
  auto response = co_await broker.controller().describe_quorum(caller.loop, std::move(request));
  co_return response;
}

BARNABAS_API(DescribeQuorum)

}  // namespace barnabas::broker
