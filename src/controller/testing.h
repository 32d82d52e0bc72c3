// A small world for controller tests: a log that is only a counter, a broker to register, validators that know three
// keys.
#pragma once

#include <gtest/gtest.h>

#include "controller/controller.h"
#include "metadata/bootstrap.h"
#include "metadata/features.h"
#include "wire/messages/broker_heartbeat_request.h"
#include "wire/messages/broker_heartbeat_response.h"
#include "wire/messages/broker_registration_request.h"
#include "wire/messages/broker_registration_response.h"

namespace barnabas::controller {

inline const Uuid kClusterDirectory{0x100, 0x200};

class ThreeKeys : public ConfigValidator {
 public:
  std::optional<ConfigProblem> check(const metadata::ConfigResource&, const metadata::ConfigMap&,
                                     const metadata::ConfigMap& after) const override {
    for (const auto& [name, value] : after) {
      if (name != "retention.ms" && name != "cleanup.policy" && name != "num.io.threads") {
        return ConfigProblem{KafkaError::kInvalidConfig, "Unknown topic config name: " + name};
      }
    }
    return std::nullopt;
  }
  std::vector<DescribedConfig> describe_topic(const metadata::ConfigMap& overrides) const override {
    std::vector<DescribedConfig> rows;
    for (const auto& [name, value] : overrides) rows.push_back({.name = name, .value = value, .source = 1});
    return rows;
  }
};

class World {
 public:
  World() : controller(Options{.cluster_id = "c", .random = [this] { return next_random_++; }}, keys) {
    controller.set_kraft_version(1);
  }

  // Appends a batch and replays it, as the driver does.
  void append(const std::vector<MetadataRecord>& records) {
    for (const MetadataRecord& record : records) {
      auto done = controller.replay(record, end);
      ASSERT_TRUE(done.has_value()) << done.error().message;
      end = end + 1;
    }
  }

  void boot() {
    end = Offset(3);  // behind LeaderChange, KRaftVersion and KRaftVoters
    controller.activate(now);
    append(controller.bootstrap(metadata::bootstrap_records(metadata::default_levels())));
  }

  wire::BrokerRegistrationRequest registration(int32_t id, uint64_t incarnation) const {
    wire::BrokerRegistrationRequest request;
    request.broker_id = id;
    request.cluster_id = "c";
    request.incarnation_id = {1, incarnation};
    request.rack.reset();
    for (const auto& feature : metadata::supported_features()) {
      request.features.push_back({std::string(feature.name), feature.min, feature.max, {}});
    }
    request.log_dirs = {Uuid{0x100, 0x200 + static_cast<uint64_t>(id)}};
    return request;
  }

  wire::BrokerHeartbeatRequest heartbeat(int32_t id) const {
    wire::BrokerHeartbeatRequest request;
    request.broker_id = id;
    request.broker_epoch = controller.image().broker(BrokerId(id))->epoch.value;
    request.current_metadata_offset = end.value - 1;
    request.cordoned_log_dirs.emplace();
    return request;
  }

  wire::BrokerHeartbeatResponse beat(const wire::BrokerHeartbeatRequest& request) {
    controller.observe_heartbeat(request, now);
    auto decision = controller.heartbeat(request);
    last_records = decision.records;
    append(decision.records);
    return decision.response;
  }

  void start_broker(int32_t id, uint64_t incarnation = 1) {
    auto decision = controller.register_broker(registration(id, incarnation), {.now = now, .next_offset = end});
    ASSERT_EQ(decision.response.error_code, KafkaError::kNone);
    append(decision.records);
    EXPECT_FALSE(beat(heartbeat(id)).is_fenced);
  }

  std::string text(const std::vector<MetadataRecord>& records) const {
    std::string lines;
    for (const auto& record : records) lines += std::visit([](const auto& r) { return r.to_string(); }, record) + "\n";
    return lines;
  }

  ThreeKeys keys;
  Controller controller;
  Offset end{0};
  MonotonicTime now{0};
  std::vector<MetadataRecord> last_records;

 private:
  uint64_t next_random_ = 1;
};

}  // namespace barnabas::controller
