// QuorumController: the way to the controller of this node's own metadata quorum.
#pragma once

#include "broker/local_controller.h"
#include "quorum/metadata_quorum.h"

namespace barnabas::node {

class QuorumController final : public broker::LocalController {
 public:
  explicit QuorumController(quorum::MetadataQuorum& quorum) : quorum_(quorum) {}

  runtime::Task<wire::DescribeQuorumResponse> describe_quorum(runtime::Executor& home,
                                                              wire::DescribeQuorumRequest request) override;

 protected:
  runtime::Task<bool> carry_out(runtime::Executor& home, Decide decide) override;

 private:
  quorum::MetadataQuorum& quorum_;
};

}  // namespace barnabas::node
