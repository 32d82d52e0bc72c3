// World: what the driver is to a GroupShard in production, in memory: a log, two clocks, topics, and the replies that
// came out. For tests. The log accepts everything and is durable at once, unless a test says `hold` or `refuse_next`.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "group/group_shard.h"
#include "wire/writer.h"

namespace barnabas::group {

class FakeTopics : public TopicLookup {
 public:
  void add(const std::string& name, int32_t partitions) {
    topics_[name] = TopicInfo{name, Uuid{0x7071, topics_.size() + 1}, partitions};
  }
  void remove(const std::string& name) { topics_.erase(name); }
  std::optional<TopicInfo> by_name(std::string_view name) const override {
    auto at = topics_.find(name);
    return at == topics_.end() ? std::nullopt : std::optional(at->second);
  }
  std::optional<TopicInfo> by_id(const Uuid& id) const override {
    for (const auto& [name, info] : topics_) {
      if (info.id == id) return info;
    }
    return std::nullopt;
  }

 private:
  std::map<std::string, TopicInfo, std::less<>> topics_;
};

inline Buffer bytes_of(std::string_view text) {
  return to_buffer(as_bytes(text));
}

// A consumer's subscription, as clients send it (version 0).
inline Buffer subscription(const std::vector<std::string>& topics) {
  wire::Writer out;
  out.int16(0);
  out.int32(static_cast<int32_t>(topics.size()));
  for (const std::string& topic : topics) out.string(topic, false);
  out.int32(-1);
  return out.take_contiguous();
}

struct World {
  explicit World(GroupConfig settings = {}) : config(settings), shard(settings) {
    topics.add("orders", 4);
    topics.add("clicks", 2);
  }

  GroupConfig config;
  GroupShard shard;
  FakeTopics topics;
  Now now{1'000'000, {1'000'000'000}};
  std::vector<CoordinatorRecord> log;
  std::optional<MonotonicTime> timer;
  bool hold = false;                                      // the disk is slow: nothing becomes durable
  std::optional<wire::KafkaError> refuse_next;            // the log refuses the next append
  std::map<RequestToken, ReplyBody> replies;              // all that came out
  std::vector<std::pair<RequestToken, ReplyBody>> fresh;  // since the last take_fresh()
  RequestToken last_token = 0;
  std::vector<CoordinatorRecord> fresh_records;
  uint64_t uuids = 0;

  // Does what the header of GroupShard asks of a driver.
  void obey(Output output) {
    take(std::move(output));
    if (!hold) flush();
  }
  // Everything in the log is durable.
  void flush() { take(shard.on_high_watermark(now, Offset(static_cast<int64_t>(log.size())))); }

  void advance(Duration by) {
    MonotonicTime until = now.monotonic + by;
    while (timer && *timer <= until) {
      move_to(std::max(*timer, now.monotonic));
      obey(shard.tick(now));
    }
    move_to(until);
  }

  Caller caller(int16_t version, const std::string& client = "client") {
    return Caller{++last_token, version, client, "/127.0.0.1", Uuid{0, ++uuids}};
  }
  template <class Response>
  const Response* reply(RequestToken token) const {
    auto at = replies.find(token);
    return at == replies.end() ? nullptr : std::get_if<Response>(&at->second);
  }

  // The log is read again by a new shard, as after a restart.
  void reload() {
    shard = GroupShard(config);
    timer.reset();
    int64_t offset = 0;
    for (const CoordinatorRecord& record : log) {
      std::optional<BytesView> value;
      if (record.value) value = *record.value;
      auto replayed = shard.replay({Offset(offset++), kNoProducerId, record.key, value});
      ASSERT_TRUE(replayed.has_value()) << replayed.error().message;
    }
    obey(shard.finish_load(now));
  }

  // --- Requests, answered in `replies`
  struct Join {
    std::string group = "g";
    std::string member;
    std::optional<std::string> instance;
    std::vector<std::string> protocols = {"range"};
    std::vector<std::string> topics = {"orders"};
    std::string type = "consumer";
    int32_t session_ms = 10'000;
    int32_t rebalance_ms = 60'000;
    int16_t version = 9;
    std::string client = "client";
  };
  RequestToken join(const Join& ask) {
    wire::JoinGroupRequest request;
    request.group_id = ask.group;
    request.member_id = ask.member;
    request.group_instance_id = ask.instance;
    request.protocol_type = ask.type;
    request.session_timeout_ms = ask.session_ms;
    request.rebalance_timeout_ms = ask.rebalance_ms;
    for (const std::string& name : ask.protocols) {
      auto& protocol = request.protocols.emplace_back();
      protocol.name = name;
      protocol.metadata = subscription(ask.topics);
    }
    Caller who = caller(ask.version, ask.client);
    obey(shard.join(who, now, request));
    return who.token;
  }

  struct Sync {
    std::string group = "g";
    std::string member;
    int32_t generation = 1;
    std::vector<std::pair<std::string, std::string>> assignments = {};
    std::optional<std::string> instance;
    std::optional<std::string> type;
    std::optional<std::string> protocol;
    int16_t version = 4;
  };
  RequestToken sync(const Sync& ask) {
    wire::SyncGroupRequest request;
    request.group_id = ask.group;
    request.member_id = ask.member;
    request.generation_id = ask.generation;
    request.group_instance_id = ask.instance;
    request.protocol_type = ask.type;
    request.protocol_name = ask.protocol;
    for (const auto& [member, assignment] : ask.assignments) {
      auto& row = request.assignments.emplace_back();
      row.member_id = member;
      row.assignment = bytes_of(assignment);
    }
    Caller who = caller(ask.version);
    obey(shard.sync(who, now, request));
    return who.token;
  }

  wire::KafkaError heartbeat(const std::string& group, const std::string& member, int32_t generation,
                             std::optional<std::string> instance = std::nullopt) {
    wire::HeartbeatRequest request;
    request.group_id = group;
    request.member_id = member;
    request.generation_id = generation;
    request.group_instance_id = std::move(instance);
    Caller who = caller(4);
    obey(shard.heartbeat(who, now, request));
    return reply<wire::HeartbeatResponse>(who.token)->error_code;
  }

  struct Leaver {
    std::string member;
    std::optional<std::string> instance;
  };
  RequestToken leave(const std::string& group, const std::vector<Leaver>& leavers, int16_t version = 5) {
    wire::LeaveGroupRequest request;
    request.group_id = group;
    if (version < 3) {
      request.member_id = leavers.front().member;
    } else {
      for (const Leaver& leaver : leavers) {
        auto& row = request.members.emplace_back();
        row.member_id = leaver.member;
        row.group_instance_id = leaver.instance;
      }
    }
    Caller who = caller(version);
    obey(shard.leave(who, now, request));
    return who.token;
  }

  struct Commit {
    std::string group = "g";
    std::string member;
    int32_t generation = -1;
    std::string topic = "orders";
    int32_t partition = 0;
    int64_t offset = 0;
    std::optional<std::string> metadata = "";
    std::optional<std::string> instance;
    int64_t retention_ms = -1;
    int16_t version = 9;
    std::optional<Uuid> topic_id;
  };
  RequestToken commit(const Commit& ask) {
    wire::OffsetCommitRequest request;
    request.group_id = ask.group;
    request.member_id = ask.member;
    request.generation_id_or_member_epoch = ask.generation;
    request.group_instance_id = ask.instance;
    request.retention_time_ms = ask.retention_ms;
    auto& topic = request.topics.emplace_back();
    topic.name = ask.topic;
    if (ask.topic_id) topic.topic_id = *ask.topic_id;
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = ask.partition;
    partition.committed_offset = ask.offset;
    partition.committed_metadata = ask.metadata;
    Caller who = caller(ask.version);
    obey(shard.commit_offsets(who, now, request, topics));
    return who.token;
  }
  // The error of a one-partition commit.
  wire::KafkaError commit_error_of(const Commit& ask) {
    const auto* response = reply<wire::OffsetCommitResponse>(commit(ask));
    if (response == nullptr) return wire::KafkaError::kUnknownServerError;
    return response->topics.at(0).partitions.at(0).error_code;
  }

  wire::OffsetFetchResponse::OffsetFetchResponsePartitions fetch(const std::string& group, const std::string& topic,
                                                                 int32_t partition, bool require_stable = false) const {
    wire::OffsetFetchRequest::OffsetFetchRequestGroup request;
    request.group_id = group;
    auto& asked = request.topics.emplace().emplace_back();
    asked.name = topic;
    asked.partition_indexes = {partition};
    auto response = shard.fetch_offsets(request, {.api_version = 9, .require_stable = require_stable}, topics);
    return response.topics.at(0).partitions.at(0);
  }

  // --- Short ways
  const wire::JoinGroupResponse& joined(RequestToken token) const {
    const auto* response = reply<wire::JoinGroupResponse>(token);
    static const wire::JoinGroupResponse kNone;
    EXPECT_NE(response, nullptr) << "no JoinGroup answer";
    return response == nullptr ? kNone : *response;
  }
  const wire::SyncGroupResponse& synced(RequestToken token) const {
    const auto* response = reply<wire::SyncGroupResponse>(token);
    static const wire::SyncGroupResponse kNone;
    EXPECT_NE(response, nullptr) << "no SyncGroup answer";
    return response == nullptr ? kNone : *response;
  }
  // Joins as a dynamic member does, in two steps; the second request.
  std::pair<std::string, RequestToken> join_twice(Join ask) {
    ask.member = joined(join(ask)).member_id;
    RequestToken token = join(ask);
    return {ask.member, token};
  }
  // A group of one member in generation 1, stable, with assignment "all".
  std::string stable_of_one() { return stable_of_one(Join{}); }
  std::string stable_of_one(const Join& ask) {
    auto [member, token] = join_twice(ask);
    advance(seconds(4));
    sync({.group = ask.group,
          .member = member,
          .generation = joined(token).generation_id,
          .assignments = {{member, "all"}}});
    EXPECT_EQ(shard.describe(ask.group, 6).group_state, "Stable");
    return member;
  }
  std::string state_of(const std::string& group) const { return shard.describe(group, 6).group_state; }

  std::vector<std::pair<RequestToken, ReplyBody>> take_fresh() { return std::exchange(fresh, {}); }

 private:
  void move_to(MonotonicTime time) {
    now.wall_ms += (time - now.monotonic).count() / 1'000'000;
    now.monotonic = time;
  }

  void take(Output output) {
    for (Append& append : output.appends) {
      ASSERT_FALSE(append.records.empty());
      if (refuse_next) {
        wire::KafkaError error = *std::exchange(refuse_next, std::nullopt);
        Output undone = shard.append_failed(now, append.sequence, error);
        output.next_timer = undone.next_timer;  // it knows better
        take(std::move(undone));
        break;
      }
      shard.appended(append.sequence, Offset(static_cast<int64_t>(log.size())));
      for (CoordinatorRecord& record : append.records) {
        fresh_records.push_back(record);
        log.push_back(std::move(record));
      }
    }
    for (Reply& reply : output.replies) {
      ASSERT_TRUE(replies.emplace(reply.token, reply.body).second) << "request " << reply.token << " answered twice";
      fresh.emplace_back(reply.token, std::move(reply.body));
    }
    timer = output.next_timer;
  }
};

}  // namespace barnabas::group
