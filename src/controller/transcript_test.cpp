// Transcripts of a controller: requests in, the records and the answer out. See base/testing/transcript.h. Records are
// applied at once. A change of a partition is told by its fields; directories are told by their last number. Commands:
//
//   register ID [incarnation=N dirs=N,N cluster= metadata=LEVEL protocol= rack= own=1]
//   beat ID [at=OFFSET fence=1 shutdown=1 epoch= offline=N,N]     start ID…           wait MS            activate
//   create NAME [partitions= rf= assign=ID,ID;ID,ID config=K:V,K:V validate=1]        grow NAME COUNT [assign=…]
//   delete NAME…             configs TYPE NAME [K=V K- K+V]       elect preferred|unclean [TOPIC:PARTITION…]
//   isr ID TOPIC:PARTITION ISR [epoch= leader_epoch= partition_epoch= member_epoch= recovering=1]
//   dirs ID DIR TOPIC:PARTITION… [epoch=]    unregister ID        controller ID      features NAME=LEVEL… [type=N]
//   ids ID [epoch=]          show
//   reassigning TOPIC:PARTITION REPLICAS [adding= removing= dirs=]     as a Kafka has begun it
#include <gtest/gtest.h>

#include <fmt/ranges.h>

#include "base/testing/transcript.h"
#include "controller/testing.h"
#include "wire/messages/allocate_producer_ids_request.h"
#include "wire/messages/allocate_producer_ids_response.h"
#include "wire/messages/alter_partition_request.h"
#include "wire/messages/alter_partition_response.h"
#include "wire/messages/assign_replicas_to_dirs_request.h"
#include "wire/messages/assign_replicas_to_dirs_response.h"
#include "wire/messages/controller_registration_request.h"
#include "wire/messages/controller_registration_response.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace barnabas::controller {
namespace {

using testing::has_option;
using testing::option;
using testing::split;
using testing::Words;

std::vector<int32_t> numbers(const std::string& text) {
  std::vector<int32_t> all;
  for (const std::string& one : split(text, ',')) all.push_back(std::stoi(one));
  return all;
}

Uuid directory(const std::string& number) {
  return {0x100, 0x200 + std::stoull(number)};
}

std::string text_of(const Uuid& id) {
  if (id == kUnassignedDirectory) return "unassigned";
  if (id == kLostDirectory) return "lost";
  return id.most == 0x100 ? std::to_string(id.least - 0x200) : id.to_string();
}

std::string text_of(const std::vector<Uuid>& ids) {
  std::vector<std::string> texts;
  for (const Uuid& id : ids) texts.push_back(text_of(id));
  return fmt::format("[{}]", fmt::join(texts, ","));
}

std::string text_of(const std::vector<int32_t>& ids) {
  return fmt::format("[{}]", fmt::join(ids, ","));
}

std::string text_of(KafkaError error, const std::optional<std::string>& message = std::nullopt) {
  std::string text(wire::kafka_error_name(error));
  if (message && !message->empty()) text += " \"" + *message + "\"";
  return text;
}

class Player {
 public:
  Player() { world_.boot(); }

  void play(const Words& words, std::ostream& out) {
    out_ = &out;
    const std::string& verb = words.at(0);
    const Words rest(words.begin() + 1, words.end());
    if (verb == "register") return register_broker(rest);
    if (verb == "beat") return beat(rest);
    if (verb == "start") return start(rest);
    if (verb == "wait") return wait(std::stoll(rest.at(0)));
    if (verb == "activate") return world_.controller.activate(world_.now);
    if (verb == "create") return create(rest);
    if (verb == "grow") return grow(rest);
    if (verb == "delete") return delete_topics(rest);
    if (verb == "configs") return configs(rest);
    if (verb == "elect") return elect(rest);
    if (verb == "isr") return alter_partition(rest);
    if (verb == "dirs") return assign_dirs(rest);
    if (verb == "unregister") return unregister(std::stoi(rest.at(0)));
    if (verb == "controller") return register_controller(rest);
    if (verb == "features") return features(rest);
    if (verb == "reassigning") return reassigning(rest);
    if (verb == "ids") return producer_ids(rest);
    if (verb == "show") return show();
    say() << "what is " << verb << "?\n";
  }

 private:
  const metadata::Image& image() const { return world_.controller.image(); }
  std::ostream& say() { return *out_; }

  // --- nodes
  void register_broker(const Words& words) {
    int32_t id = std::stoi(words.at(0));
    auto request = world_.registration(id, std::stoull(option(words, "incarnation", "1")));
    request.cluster_id = option(words, "cluster", "c");
    if (has_option(words, "dirs")) {
      request.log_dirs.clear();
      for (const std::string& number : split(option(words, "dirs"), ',')) {
        request.log_dirs.push_back(number == "unassigned" ? kUnassignedDirectory : directory(number));
      }
    }
    for (auto& feature : request.features) {
      if (feature.name == "metadata.version" && has_option(words, "metadata")) {
        feature.max_supported_version = static_cast<int16_t>(std::stoi(option(words, "metadata")));
      }
    }
    if (has_option(words, "protocol")) {
      auto& listener = request.listeners.emplace_back();
      listener.name = "L";
      listener.security_protocol = static_cast<int16_t>(std::stoi(option(words, "protocol")));
    }
    if (has_option(words, "rack")) request.rack = option(words, "rack");
    auto decision = world_.controller.register_broker(
        request, {.now = world_.now, .next_offset = world_.end, .own_process = has_option(words, "own")});
    commit(decision.records);
    say() << text_of(decision.response.error_code) << ", broker epoch " << decision.response.broker_epoch << "\n";
  }

  void beat(const Words& words) {
    int32_t id = std::stoi(words.at(0));
    wire::BrokerHeartbeatRequest request;
    request.broker_id = id;
    request.broker_epoch = std::stoll(option(words, "epoch", std::to_string(epoch_of(id))));
    request.current_metadata_offset = std::stoll(option(words, "at", std::to_string(world_.end.value - 1)));
    request.want_fence = has_option(words, "fence");
    request.want_shut_down = has_option(words, "shutdown");
    request.cordoned_log_dirs.emplace();
    for (const std::string& number : split(option(words, "offline"), ',')) {
      request.offline_log_dirs.push_back(directory(number));
    }
    world_.controller.observe_heartbeat(request, world_.now);
    auto decision = world_.controller.heartbeat(request);
    commit(decision.records);
    const auto& answer = decision.response;
    say() << text_of(answer.error_code) << (answer.is_caught_up ? ", caught up" : ", behind")
          << (answer.is_fenced ? ", fenced" : ", serving") << (answer.should_shut_down ? ", shut down now" : "")
          << "\n";
  }

  // Registers and unfences without telling of it.
  void start(const Words& ids) {
    for (const std::string& id : ids) world_.start_broker(std::stoi(id));
  }

  void wait(int64_t milliseconds_to_wait) {
    MonotonicTime until = world_.now + milliseconds(milliseconds_to_wait);
    while (world_.now < until) {
      world_.now = std::min(until, std::max(world_.now, world_.controller.wake_at()));
      auto due = world_.controller.tick(world_.now);
      for (const auto& batch : due.batches) {
        bool idle = batch.size() == 1 && std::holds_alternative<wire::NoOpRecord>(batch[0]);
        if (!idle) say() << "at " << world_.now.nanos / 1'000'000 << " ms\n";
        idle ? world_.append(batch) : commit(batch);
      }
    }
  }

  void unregister(int32_t id) {
    wire::UnregisterBrokerRequest request;
    request.broker_id = id;
    answer(world_.controller.unregister_broker(request));
  }

  void register_controller(const Words& words) {
    wire::ControllerRegistrationRequest request;
    request.controller_id = std::stoi(words.at(0));
    request.incarnation_id = {2, 1};
    auto& listener = request.listeners.emplace_back();
    listener.name = "CONTROLLER";
    listener.host = "h";
    listener.port = 9093;
    request.features.push_back({"metadata.version", 7, 30, {}});
    answer(world_.controller.register_controller(request));
  }

  void features(const Words& words) {
    wire::UpdateFeaturesRequest request;
    for (const std::string& word : words) {
      Words parts = split(word, '=');
      if (parts[0] == "type") continue;
      auto& update = request.feature_updates.emplace_back();
      update.feature = parts.at(0);
      update.max_version_level = static_cast<int16_t>(std::stoi(parts.at(1)));
      update.upgrade_type = static_cast<int8_t>(std::stoi(option(words, "type", "1")));
    }
    answer(world_.controller.update_features(request));
  }

  void producer_ids(const Words& words) {
    wire::AllocateProducerIdsRequest request;
    request.broker_id = std::stoi(words.at(0));
    request.broker_epoch = std::stoll(option(words, "epoch", std::to_string(epoch_of(request.broker_id))));
    auto decision = world_.controller.allocate_producer_ids(request);
    commit(decision.records);
    say() << text_of(decision.response.error_code) << ", " << decision.response.producer_id_len << " ids from "
          << decision.response.producer_id_start << "\n";
  }

  // --- topics
  void create(const Words& words) {
    wire::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = words.at(0);
    bool assigned = has_option(words, "assign");
    topic.num_partitions = std::stoi(option(words, "partitions", assigned ? "-1" : "1"));
    topic.replication_factor = static_cast<int16_t>(std::stoi(option(words, "rf", assigned ? "-1" : "1")));
    int32_t index = 0;
    for (const std::string& replicas : split(option(words, "assign"), ';')) {
      topic.assignments.push_back({index++, numbers(replicas), {}});
    }
    for (const std::string& config : split(option(words, "config"), ',')) {
      Words parts = split(config, ':');
      topic.configs.push_back({parts.at(0), parts.at(1), {}});
    }
    request.validate_only = has_option(words, "validate");
    auto decision = world_.controller.create_topics(request);
    commit(decision.records);
    for (const auto& row : decision.response.topics) {
      say() << row.name << ": " << text_of(row.error_code, row.error_message);
      if (row.error_code == KafkaError::kNone) {
        say() << ", " << row.num_partitions << " partitions of " << row.replication_factor << " replicas";
      }
      say() << "\n";
    }
  }

  void grow(const Words& words) {
    wire::CreatePartitionsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = words.at(0);
    topic.count = std::stoi(words.at(1));
    topic.assignments.reset();
    for (const std::string& replicas : split(option(words, "assign"), ';')) {
      if (!topic.assignments) topic.assignments.emplace();
      topic.assignments->push_back({numbers(replicas), {}});
    }
    auto decision = world_.controller.create_partitions(request);
    commit(decision.records);
    for (const auto& row : decision.response.results) {
      say() << row.name << ": " << text_of(row.error_code, row.error_message) << "\n";
    }
  }

  void delete_topics(const Words& words) {
    wire::DeleteTopicsRequest request;
    for (const std::string& name : words) request.topics.emplace_back().name = name;
    auto decision = world_.controller.delete_topics(request);
    commit(decision.records);
    for (const auto& row : decision.response.responses) {
      say() << row.name.value_or("?") << ": " << text_of(row.error_code, row.error_message) << "\n";
    }
  }

  void configs(const Words& words) {
    wire::IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = static_cast<int8_t>(words.at(0) == "topic" ? 2 : words.at(0) == "broker" ? 4 : 99);
    resource.resource_name = words.at(1) == "default" ? "" : words.at(1);
    for (size_t i = 2; i < words.size(); ++i) {
      size_t at = words[i].find_first_of("=-+");
      int8_t operation = static_cast<int8_t>(std::string("=-+").find(words[i][at]));
      std::optional<std::string> value;
      if (operation != 1) value = words[i].substr(at + 1);
      resource.configs.push_back({words[i].substr(0, at), operation, value, {}});
    }
    auto decision = world_.controller.incremental_alter_configs(request);
    commit(decision.records);
    for (const auto& row : decision.response.responses) {
      say() << row.resource_name << ": " << text_of(row.error_code, row.error_message) << "\n";
    }
  }

  void elect(const Words& words) {
    wire::ElectLeadersRequest request;
    request.election_type = words.at(0) == "preferred" ? 0 : words.at(0) == "unclean" ? 1 : 7;
    request.topic_partitions.reset();
    for (size_t i = 1; i < words.size(); ++i) {
      if (!request.topic_partitions) request.topic_partitions.emplace();
      Words place = split(words[i], ':');
      request.topic_partitions->push_back({place.at(0), {std::stoi(place.at(1))}, {}});
    }
    auto decision = world_.controller.elect_leaders(request);
    commit(decision.records);
    if (decision.response.error_code != KafkaError::kNone) say() << text_of(decision.response.error_code) << "\n";
    for (const auto& topic : decision.response.replica_election_results) {
      for (const auto& row : topic.partition_result) {
        say() << topic.topic << ":" << row.partition_id << ": " << text_of(row.error_code, row.error_message) << "\n";
      }
    }
  }

  // --- replicas
  void alter_partition(const Words& words) {
    wire::AlterPartitionRequest request;
    request.broker_id = std::stoi(words.at(0));
    request.broker_epoch = std::stoll(option(words, "epoch", std::to_string(epoch_of(request.broker_id))));
    Words place = split(words.at(1), ':');
    auto& topic = request.topics.emplace_back();
    topic.topic_id = id_of(place.at(0));
    auto& change = topic.partitions.emplace_back();
    change.partition_index = std::stoi(place.at(1));
    const metadata::Partition* now = image().partition(topic.topic_id, change.partition_index);
    change.leader_epoch = std::stoi(option(words, "leader_epoch", std::to_string(now ? now->leader_epoch.value : 0)));
    change.partition_epoch =
        std::stoi(option(words, "partition_epoch", std::to_string(now ? now->partition_epoch : 0)));
    change.leader_recovery_state = static_cast<int8_t>(std::stoi(option(words, "recovering", "0")));
    for (int32_t id : numbers(words.at(2))) {
      auto& member = change.new_isr_with_epochs.emplace_back();
      member.broker_id = id;
      member.broker_epoch = std::stoll(option(words, "member_epoch", std::to_string(epoch_of(id))));
    }
    auto decision = world_.controller.alter_partition(request);
    commit(decision.records);
    if (decision.response.error_code != KafkaError::kNone) say() << text_of(decision.response.error_code) << "\n";
    for (const auto& answered : decision.response.topics) {
      for (const auto& row : answered.partitions) {
        say() << text_of(row.error_code);
        if (row.error_code == KafkaError::kNone) {
          say() << ", leader " << row.leader_id << " in epoch " << row.leader_epoch << ", isr " << text_of(row.isr)
                << (row.leader_recovery_state == 1 ? ", recovering" : "") << ", partition epoch "
                << row.partition_epoch;
        }
        say() << "\n";
      }
    }
  }

  void assign_dirs(const Words& words) {
    wire::AssignReplicasToDirsRequest request;
    request.broker_id = std::stoi(words.at(0));
    request.broker_epoch = std::stoll(option(words, "epoch", std::to_string(epoch_of(request.broker_id))));
    auto& dir = request.directories.emplace_back();
    dir.id = directory(words.at(1));
    for (size_t i = 2; i < words.size(); ++i) {
      Words place = split(words[i], ':');
      if (place.size() != 2) continue;
      auto& topic = dir.topics.emplace_back();
      topic.topic_id = id_of(place[0]);
      topic.partitions.emplace_back().partition_index = std::stoi(place[1]);
    }
    auto decision = world_.controller.assign_replicas_to_dirs(request);
    commit(decision.records);
    say() << text_of(decision.response.error_code) << ":";
    for (const auto& answered : decision.response.directories) {
      for (const auto& topic : answered.topics) {
        for (const auto& row : topic.partitions) say() << " " << text_of(row.error_code);
      }
    }
    say() << "\n";
  }

  void reassigning(const Words& words) {
    Words place = split(words.at(0), ':');
    wire::PartitionChangeRecord record;
    record.topic_id = id_of(place.at(0));
    record.partition_id = std::stoi(place.at(1));
    record.replicas = numbers(words.at(1));
    if (has_option(words, "adding")) record.adding_replicas = numbers(option(words, "adding"));
    if (has_option(words, "removing")) record.removing_replicas = numbers(option(words, "removing"));
    record.directories.emplace();
    for (const std::string& number : split(option(words, "dirs"), ',')) {
      record.directories->push_back(directory(number));
    }
    commit({record});
  }

  void show() {
    for (const auto& [id, broker] : image().brokers()) {
      say() << "broker " << id.value << " epoch " << broker.epoch.value << (broker.fenced ? " fenced" : " serving")
            << (broker.in_controlled_shutdown ? ", shutting down" : "") << ", directories " << text_of(broker.log_dirs)
            << "\n";
    }
    for (const metadata::TopicPtr& topic : image().topics()) {
      for (int32_t i = 0; i < topic->partition_count(); ++i) {
        const metadata::Partition& p = *topic->partition(i);
        say() << topic->name << ":" << i << " replicas " << ids(p.replicas) << " isr " << ids(p.isr) << " leader "
              << p.leader.value << " in epoch " << p.leader_epoch.value << ", partition epoch " << p.partition_epoch
              << ", directories " << text_of(p.directories)
              << (p.recovery == metadata::LeaderRecoveryState::kRecovering ? ", recovering" : "") << "\n";
      }
    }
  }

  // --- helpers
  template <class Response>
  void answer(const Decision<Response>& decision) {
    commit(decision.records);
    say() << text_of(decision.response.error_code, decision.response.error_message) << "\n";
  }

  int64_t epoch_of(int32_t id) const {
    const metadata::Broker* broker = image().broker(BrokerId(id));
    return broker ? broker->epoch.value : -1;
  }

  Uuid id_of(const std::string& topic) const {
    const metadata::Topic* found = image().topic(topic);
    return found ? found->id : Uuid{9, 9};
  }

  static std::string ids(const std::vector<BrokerId>& brokers) {
    std::vector<int32_t> raw;
    for (BrokerId id : brokers) raw.push_back(id.value);
    return text_of(raw);
  }

  void commit(const std::vector<MetadataRecord>& records) {
    for (const MetadataRecord& record : records) {
      say() << "log " << world_.end.value << ": " << std::visit([&](const auto& r) { return describe(r); }, record)
            << "\n";
      world_.append({record});
    }
  }

  std::string name_of(const Uuid& topic) const {
    const metadata::Topic* found = image().topic(topic);
    return found ? found->name : topic.to_string();
  }

  std::string describe(const wire::TopicRecord& r) const { return "topic " + r.name; }
  std::string describe(const wire::RemoveTopicRecord& r) const { return "remove topic " + name_of(r.topic_id); }
  std::string describe(const wire::PartitionRecord& r) const {
    return fmt::format("partition {}:{} replicas {} isr {} leader {} directories {}", name_of(r.topic_id),
                       r.partition_id, text_of(r.replicas), text_of(r.isr), r.leader, text_of(r.directories));
  }
  std::string describe(const wire::PartitionChangeRecord& r) const {
    std::string text = fmt::format("{}:{} changes", name_of(r.topic_id), r.partition_id);
    if (r.isr) text += " isr " + text_of(*r.isr);
    if (r.leader != -2) text += fmt::format(" leader {}", r.leader);
    if (r.replicas) text += " replicas " + text_of(*r.replicas);
    if (r.removing_replicas) text += " removing " + text_of(*r.removing_replicas);
    if (r.adding_replicas) text += " adding " + text_of(*r.adding_replicas);
    if (r.leader_recovery_state != -1) text += r.leader_recovery_state == 1 ? " recovering" : " recovered";
    if (r.directories) text += " directories " + text_of(*r.directories);
    return text;
  }
  std::string describe(const wire::ConfigRecord& r) const {
    return fmt::format("config of {} '{}': {}{}", r.resource_type, r.resource_name, r.name,
                       r.value ? "=" + *r.value : " removed");
  }
  std::string describe(const wire::RegisterBrokerRecord& r) const {
    return fmt::format("register broker {} epoch {} incarnation {} directories {}{}{}{}", r.broker_id, r.broker_epoch,
                       r.incarnation_id.least, text_of(r.log_dirs), r.rack ? " rack " + *r.rack : "",
                       r.fenced ? " fenced" : "", r.in_controlled_shutdown ? " in controlled shutdown" : "");
  }
  std::string describe(const wire::BrokerRegistrationChangeRecord& r) const {
    std::string text = fmt::format("broker {}", r.broker_id);
    if (r.fenced != 0) text += r.fenced > 0 ? " is fenced" : " is unfenced";
    if (r.in_controlled_shutdown != 0) text += " is shutting down";
    if (!r.log_dirs.empty()) text += " has directories " + text_of(r.log_dirs);
    if (r.cordoned_log_dirs) text += " has cordoned " + text_of(*r.cordoned_log_dirs);
    return text;
  }
  std::string describe(const wire::UnregisterBrokerRecord& r) const {
    return fmt::format("unregister broker {} epoch {}", r.broker_id, r.broker_epoch);
  }
  std::string describe(const wire::FeatureLevelRecord& r) const {
    return fmt::format("feature {}={}", r.name, r.feature_level);
  }
  std::string describe(const wire::ProducerIdsRecord& r) const {
    return fmt::format("producer ids below {} are given out, the last to broker {}", r.next_producer_id, r.broker_id);
  }
  template <class Record>
  std::string describe(const Record& record) const {
    return record.to_string();
  }

  World world_;
  std::ostream* out_ = nullptr;
};

TEST(Transcript, ReadsAsWritten) {
  testing::expect_transcripts<Player>(BARNABAS_TESTDATA);
}

}  // namespace
}  // namespace barnabas::controller
