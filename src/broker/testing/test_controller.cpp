#include "broker/testing/test_controller.h"

#include "base/check.h"
#include "broker/broker.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"

namespace barnabas::broker::testing {

TestController::TestController(std::string cluster_id, const config::BrokerLayers& layers)
    : validator_(layers),
      core_({.cluster_id = std::move(cluster_id), .random = [this] { return random_ += 0x9e3779b97f4a7c15ULL; }},
            validator_) {
  core_.set_kraft_version(1);
  builder_.set_kraft_version(1);
}

void TestController::replay(const std::vector<wire::MetadataRecord>& records) {
  for (const wire::MetadataRecord& record : records) {
    auto core = core_.replay(record, next_);
    CHECK(core.has_value());
    auto image = builder_.replay(record);
    CHECK(image.has_value());
    builder_.set_provenance({.last_offset = next_, .epoch = LeaderEpoch(1)});
    next_ = next_ + 1;
  }
}

metadata::ImagePtr TestController::bootstrap(const std::vector<wire::MetadataRecord>& records) {
  core_.activate(MonotonicTime(0));
  replay(records);
  return builder_.build().image;
}

runtime::Task<> TestController::commit(std::vector<wire::MetadataRecord> records) {
  replay(records);
  auto published = builder_.build();
  co_await broker_->publish(std::move(published.delta), std::move(published.image));
}

runtime::Task<bool> TestController::carry_out(runtime::Executor&, Decide decide) {
  co_await commit(decide(core_));
  co_return true;
}

runtime::Task<wire::DescribeQuorumResponse> TestController::describe_quorum(runtime::Executor&,
                                                                            wire::DescribeQuorumRequest request) {
  wire::DescribeQuorumResponse response;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.topic_name = asked.topic_name;
    for (const auto& partition : asked.partitions) {
      auto& row = topic.partitions.emplace_back();
      row.partition_index = partition.partition_index;
      row.leader_id = broker_->id().value;
    }
  }
  co_return response;
}

}  // namespace barnabas::broker::testing
