// FakeCluster: scripted brokers that know of each other: they answer Metadata and FindCoordinator from what the test
// says is so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "client/testing/fake_network.h"
#include "wire/kafka_error.h"

namespace barnabas::client::testing {

class FakeCluster {
 public:
  struct Partition {
    int32_t leader = 1;
    int32_t epoch = 0;
  };
  struct Topic {
    Uuid id{};
    std::vector<Partition> partitions{};
    wire::KafkaError error{};
  };
  struct Coordinator {
    int32_t node = 1;
    wire::KafkaError error{};
  };

  // Brokers 1 to `count` at hosts "b1", "b2", …
  FakeCluster(FakeNetwork& network, int32_t count);
  FakeBroker& broker(int32_t id) { return network_.broker("b" + std::to_string(id)); }
  void add_topic(const std::string& name, std::vector<Partition> partitions);
  size_t metadata_requests() const;
  size_t coordinator_requests() const;

  std::string cluster_id = "cluster";
  int32_t controller = 1;
  std::map<int32_t, std::string> members;  // id -> host, as Metadata tells it
  std::map<std::string, Topic> topics;
  std::map<std::string, Coordinator> coordinators;
  wire::KafkaError metadata_error{};    // at the top of the answer
  bool creates_topics = true;           // that a client allows to be created
  bool silent = false;                  // Metadata is not answered; answer_now() does it
  std::vector<std::string> last_asked;  // topics of the latest Metadata request
  bool asked_for_all = false;
  void answer_now();

 private:
  std::optional<std::string> answer_metadata(const Asked& asked);
  std::optional<std::string> answer_coordinator(const Asked& asked);

  FakeNetwork& network_;
  std::vector<int32_t> ids_;
  struct Unanswered {
    FakeBroker* broker;
    Asked asked;
  };
  std::vector<Unanswered> unanswered_;
};

}  // namespace barnabas::client::testing
