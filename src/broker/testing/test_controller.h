// TestController: the real controller core behind a ControllerChannel that commits at once. For tests.
#pragma once

#include <vector>

#include "broker/config_validator.h"
#include "broker/local_controller.h"
#include "metadata/image_builder.h"

namespace barnabas::broker {
class Broker;
}

namespace barnabas::broker::testing {

class TestController final : public LocalController {
 public:
  TestController(std::string cluster_id, const config::BrokerLayers& layers);

  // Before a broker is there to be told: replays only.
  metadata::ImagePtr bootstrap(const std::vector<wire::MetadataRecord>& records);
  void set_broker(Broker& broker) { broker_ = &broker; }
  runtime::Task<> commit(std::vector<wire::MetadataRecord> records);
  Offset next_offset() const { return next_; }

  runtime::Task<wire::DescribeQuorumResponse> describe_quorum(runtime::Executor& home,
                                                              wire::DescribeQuorumRequest request) override;

 protected:
  runtime::Task<bool> carry_out(runtime::Executor& home, Decide decide) override;

 private:
  void replay(const std::vector<wire::MetadataRecord>& records);

  ConfigValidator validator_;
  controller::Controller core_;
  metadata::ImageBuilder builder_;
  Offset next_{0};
  uint64_t random_ = 1;
  Broker* broker_ = nullptr;
};

}  // namespace barnabas::broker::testing
