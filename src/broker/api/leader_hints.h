// Leader hints (KIP-951): an answer that says NOT_LEADER_OR_FOLLOWER also says who leads and where that broker is, so a
// client need not ask for metadata first.
#pragma once

#include "broker/api/api.h"
#include "metadata/image.h"

namespace barnabas::wire {
struct ProduceRequest;
struct ProduceResponse;
struct FetchResponse;
}  // namespace barnabas::wire

namespace barnabas::broker {

void add_leader_hints(const metadata::Image& image, const Caller& caller, const wire::ProduceRequest& request,
                      wire::ProduceResponse& response);
// For NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH, from version 16 on.
void add_leader_hints(const metadata::Image& image, const Caller& caller, wire::FetchResponse& response);

}  // namespace barnabas::broker
