// ShardState: everything a GroupShard holds, and the few steps all operations share. What the log says is in `offsets`
// and, per group, in the last GroupMetadata record; the rest (parked requests, timers, rebalances under way) is soft
// and dies with the shard.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "group/append_ledger.h"
#include "group/classic_group.h"
#include "group/deadline_index.h"
#include "group/group_config.h"
#include "group/offset_store.h"
#include "group/types.h"

namespace barnabas::group {

// A group of a protocol this shard does not serve yet: it is kept in peace, nothing of it expires.
enum class ForeignKind { kConsumer, kShare, kStreams };

struct ShardState {
  explicit ShardState(GroupConfig settings) : config(settings) {}

  GroupConfig config;
  std::map<std::string, std::unique_ptr<ClassicGroup>, std::less<>> groups;
  std::map<std::string, ForeignKind, std::less<>> foreign;
  OffsetStore offsets;
  AppendLedger ledger;
  DeadlineIndex deadlines;
  uint64_t next_incarnation = 1;
  Output output;  // of the call under way

  ClassicGroup* find(std::string_view group_id) const {
    auto at = groups.find(group_id);
    return at == groups.end() ? nullptr : at->second.get();
  }
  // The group as readers may see it: below the high watermark.
  const ClassicGroup* find_committed(std::string_view group_id) const;
  // Adds an Empty group; the caller appends what makes it durable, with the effect GroupCreated.
  ClassicGroup& create(std::string_view group_id, TimestampMs now_ms);
  std::unique_ptr<ClassicGroup> take_out(ClassicGroup& group);

  void reply(RequestToken token, ReplyBody body) { output.replies.push_back({token, std::move(body)}); }
  // `replies` go out when the records are committed; ledger.attach() says what else happens then.
  AppendSequence append(std::vector<CoordinatorRecord> records, std::vector<Reply> replies = {});

  Output take_output();
};

// `reply` as it reads when its append failed: an answer that was a success turns into `error`.
Reply failed_reply(Reply reply, wire::KafkaError error);

}  // namespace barnabas::group
