// Transcripts of groups, so that a rebalance reads like a conversation. See base/testing/transcript.h. Commands:
//
//   join NAME [member=ID v= instance= protocols=a,b topics=a,b session= rebalance= type=]   as NAME, in group "g"
//   sync NAME [NAME:assignment …]      heartbeat NAME      leave NAME      commit NAME topic:partition=offset
//   fetch topic:partition              describe            wait MS         disk slow|fast|refuse       restart
#include <gtest/gtest.h>

#include <sstream>

#include "base/testing/transcript.h"
#include "group/test_world.h"
#include "wire/coordinator_record.h"

namespace barnabas::group {
namespace {

using testing::split;
using testing::Words;

class Transcript {
 public:
  void play(const Words& words, std::ostream& out) {
    command(words);
    show();
    out << std::exchange(out_, {}).str();
  }

 private:
  struct Person {
    std::string member;
    std::optional<std::string> instance;
    int32_t generation = -1;
  };

  void command(const Words& words) {
    const std::string& verb = words.at(0);
    const std::string who = words.size() > 1 ? words[1] : "";
    Person& person = people_[who];
    if (verb == "join") {
      join(who, person, words);
    } else if (verb == "sync") {
      World::Sync ask{.member = person.member, .generation = person.generation, .instance = person.instance};
      for (size_t i = 2; i < words.size(); ++i) {
        Words parts = split(words[i], ':');
        ask.assignments.emplace_back(people_[parts.at(0)].member, parts.at(1));
      }
      asked_[world_.last_token + 1] = who;
      world_.sync(ask);
    } else if (verb == "heartbeat") {
      asked_[world_.last_token + 1] = who;
      world_.heartbeat("g", person.member, person.generation, person.instance);
    } else if (verb == "leave") {
      asked_[world_.last_token + 1] = who;
      world_.leave("g", {{.member = person.member, .instance = person.instance}});
    } else if (verb == "commit") {
      Words parts = split(words.at(2), '=');
      Words place = split(parts.at(0), ':');
      asked_[world_.last_token + 1] = who;
      world_.commit({.member = person.member,
                     .generation = person.generation,
                     .topic = place.at(0),
                     .partition = std::stoi(place.at(1)),
                     .offset = std::stoll(parts.at(1)),
                     .instance = person.instance});
    } else if (verb == "fetch") {
      Words place = split(who, ':');
      auto row = world_.fetch("g", place.at(0), std::stoi(place.at(1)));
      out_ << who << " is at " << row.committed_offset << "\n";
    } else if (verb == "describe") {
      describe();
    } else if (verb == "wait") {
      wait(std::stoi(who));
    } else if (verb == "disk") {
      world_.hold = who == "slow";
      if (who == "refuse") world_.refuse_next = wire::KafkaError::kNotEnoughReplicas;
      if (who == "fast") world_.flush();
    } else if (verb == "restart") {
      world_.obey(world_.shard.resign());
      world_.reload();
    } else {
      out_ << "what is " << verb << "?\n";
    }
  }

  void join(const std::string& who, Person& person, const Words& words) {
    World::Join ask{.member = person.member, .instance = person.instance, .client = who};
    for (size_t i = 2; i < words.size(); ++i) {
      size_t equals = words[i].find('=');
      std::string key = words[i].substr(0, equals);
      std::string value = words[i].substr(equals + 1);
      if (key == "v") ask.version = static_cast<int16_t>(std::stoi(value));
      if (key == "member") ask.member = value == "none" ? "" : value;
      if (key == "instance") ask.instance = value;
      if (key == "protocols") ask.protocols = split(value, ',');
      if (key == "topics") ask.topics = split(value, ',');
      if (key == "session") ask.session_ms = std::stoi(value);
      if (key == "rebalance") ask.rebalance_ms = std::stoi(value);
      if (key == "type") ask.type = value;
    }
    person.instance = ask.instance;
    asked_[world_.last_token + 1] = who;
    world_.join(ask);
  }

  // Time passes from timer to timer, so that each answer stands at its moment.
  void wait(int milliseconds_to_wait) {
    MonotonicTime until = world_.now.monotonic + milliseconds(milliseconds_to_wait);
    while (world_.now.monotonic < until) {
      MonotonicTime next = world_.timer ? std::min(*world_.timer, until) : until;
      world_.advance(std::max(next - world_.now.monotonic, Duration(0)));
      if (!world_.fresh.empty() || !world_.fresh_records.empty()) {
        out_ << "at " << (world_.now.monotonic.nanos - 1'000'000'000) / 1'000'000 << " ms\n";
      }
      show();
    }
  }

  void describe() {
    auto group = world_.shard.describe("g", 6);
    out_ << group.group_state;
    if (!group.protocol_type.empty()) out_ << " " << group.protocol_type;
    if (!group.protocol_data.empty()) out_ << " " << group.protocol_data;
    out_ << "\n";
    for (const auto& member : group.members) {
      out_ << "  " << alias(member.member_id) << " \"" << as_text(member.member_assignment) << "\"\n";
    }
  }

  // "a-00000000-0000-4000-8000-000000000001" reads better as "a#1".
  static std::string alias(const std::string& member) {
    size_t at = member.find("-00000000-0000-4000-8");
    if (at == std::string::npos) return member.empty() ? "nobody" : member;
    return member.substr(0, at) + "#" + std::to_string(std::stoi(member.substr(at + 25), nullptr, 16));
  }

  void show() {
    for (const CoordinatorRecord& record : std::exchange(world_.fresh_records, {})) show(record);
    for (auto& [token, body] : world_.take_fresh()) {
      std::string who = asked_[token];
      std::visit([&](const auto& response) { show(who, response); }, body);
    }
  }

  void show(const CoordinatorRecord& record) {
    auto key = wire::decode_group_key(record.key);
    if (const auto* offset = std::get_if<wire::OffsetCommitKey>(&*key)) {
      out_ << "log: offset of " << offset->topic << ":" << offset->partition << "\n";
      return;
    }
    auto value = wire::decode_group_value(wire::GroupMetadataKey::kRecordType, record.value.value());
    const auto& group = std::get<wire::GroupMetadataValue>(*value);
    out_ << "log: generation " << group.generation << " of " << group.members.size() << " members, led by "
         << alias(group.leader.value_or("")) << "\n";
  }

  void line(const std::string& who, wire::KafkaError error) {
    out_ << "to " << who << ": " << wire::kafka_error_name(error);
  }
  void show(const std::string& who, const wire::JoinGroupResponse& response) {
    line(who, response.error_code);
    if (!response.member_id.empty()) people_[who].member = response.member_id;
    out_ << ", you are " << alias(response.member_id);
    if (response.error_code == wire::KafkaError::kNone) {
      people_[who].generation = response.generation_id;
      out_ << " in generation " << response.generation_id << " (" << response.protocol_name.value_or("null")
           << "), led by " << alias(response.leader);
      if (response.skip_assignment) out_ << ", skip the assignment";
      for (const auto& member : response.members)
        out_ << (&member == &response.members[0] ? ": " : ", ") << alias(member.member_id);
    }
    out_ << "\n";
  }
  void show(const std::string& who, const wire::SyncGroupResponse& response) {
    line(who, response.error_code);
    if (response.error_code == wire::KafkaError::kNone) out_ << " \"" << as_text(response.assignment) << "\"";
    out_ << "\n";
  }
  void show(const std::string& who, const wire::LeaveGroupResponse& response) {
    line(who, response.members.at(0).error_code);
    out_ << "\n";
  }
  void show(const std::string& who, const wire::OffsetCommitResponse& response) {
    line(who, response.topics.at(0).partitions.at(0).error_code);
    out_ << "\n";
  }
  template <class Response>
  void show(const std::string& who, const Response& response) {
    if constexpr (requires { response.error_code; }) line(who, response.error_code);
    out_ << "\n";
  }

  World world_;
  std::map<std::string, Person> people_;
  std::map<RequestToken, std::string> asked_;
  std::ostringstream out_;
};

TEST(Transcript, ReadsAsWritten) {
  testing::expect_transcripts<Transcript>(BARNABAS_TESTDATA);
}

}  // namespace
}  // namespace barnabas::group
