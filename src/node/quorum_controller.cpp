#include "node/quorum_controller.h"

#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"

namespace barnabas::node {

runtime::Task<bool> QuorumController::carry_out(runtime::Executor& home, Decide decide) {
  auto on_its_loop = [&decide](controller::Controller& controller, MonotonicTime, Offset) {
    return controller::Decision<bool>{.records = decide(controller), .response = true};
  };
  auto done = co_await quorum_.submit(home, on_its_loop);
  co_return done.has_value();
}

runtime::Task<wire::DescribeQuorumResponse> QuorumController::describe_quorum(runtime::Executor& home,
                                                                              wire::DescribeQuorumRequest request) {
  return quorum_.describe_quorum(home, std::move(request));
}

}  // namespace barnabas::node
