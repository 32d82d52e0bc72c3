// What members of a classic group tell each other through JoinGroup and SyncGroup: Kafka's ConsumerProtocol, versions 0
// to 3. Writing is always version 3, as Java's clients do; reading takes any, later ones as the latest known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "barnabas/error.h"
#include "barnabas/types.h"
#include "base/bytes.h"

namespace barnabas::client {

inline constexpr int32_t kNoGeneration = -1;

struct MemberSubscription {
  std::string member_id{};
  std::optional<std::string> instance_id{};
  std::vector<std::string> topics{};
  std::optional<Buffer> user_data{};  // the assignor's own
  std::vector<TopicPartition> owned{};
  int32_t generation = kNoGeneration;
  std::optional<std::string> rack{};
};

Buffer encode_subscription(const MemberSubscription& subscription);
// Fills all but the ids. kBadAnswer.
Result<MemberSubscription> decode_subscription(BytesView bytes);

Buffer encode_assignment(const std::vector<TopicPartition>& partitions);
// No bytes at all are an empty assignment: a leader that left the member out.
Result<std::vector<TopicPartition>> decode_assignment(BytesView bytes);

}  // namespace barnabas::client
