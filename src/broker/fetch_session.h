// Fetch sessions (KIP-227): a client names its partitions once and then only what changed; the answer holds only what
// is new. The cache is shared by all loops; a session is used by one fetch at a time (its epoch orders them), from any
// connection. A Fetch goes begin() -> read the partitions -> finish().
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "wire/kafka_error.h"

namespace barnabas::broker {

// A partition as a request names it: by id from version 13 on, by name before.
struct FetchTarget {
  std::string topic;
  Uuid topic_id;
  int32_t partition = 0;
  bool operator==(const FetchTarget&) const = default;
};

struct FetchTargetHash {
  size_t operator()(const FetchTarget& target) const;
};

struct FetchPosition {
  FetchTarget target;
  int64_t fetch_offset = 0;
  int32_t max_bytes = 0;
  int32_t current_leader_epoch = -1;
  int32_t last_fetched_epoch = -1;
  int64_t follower_log_start_offset = -1;
};

// What a read said about one partition, as far as sessions care.
struct FetchOutcome {
  bool has_records = false;
  bool has_error = false;
  bool has_preferred_replica = false;
  bool diverging = false;
  int64_t high_watermark = -1;
  int64_t log_start_offset = -1;
};

struct FetchSessionRequest {
  int32_t session_id = 0;
  int32_t session_epoch = -1;
  bool uses_topic_ids = false;
  std::vector<FetchPosition> partitions;
  std::vector<FetchTarget> forgotten;
};

class FetchSession;

// One Fetch under way.
struct FetchContext {
  wire::KafkaError error{};               // not kNone: answer it at the top, with session id 0 and nothing else
  std::vector<FetchPosition> partitions;  // to read, in this order
  std::shared_ptr<FetchSession> session;  // null: sessionless
  bool full = true;                       // every partition is answered, whether it has news or not
  int32_t session_id = 0;                 // for the answer
};

class FetchSessionCache {
 public:
  explicit FetchSessionCache(size_t slots) : slots_(slots) {}

  // `random`: fresh random bits, for a new session's id.
  FetchContext begin(FetchSessionRequest request, MonotonicTime now, uint64_t random);

  // Decides per partition whether it goes into the answer; `outcomes` are in the order of context.partitions.
  std::vector<bool> finish(FetchContext& context, const std::vector<FetchOutcome>& outcomes, MonotonicTime now);

  // Partitions that would be answered: for counting what a long poll waits for without changing the session.
  static bool is_news(const FetchContext& context, size_t index, const FetchOutcome& outcome);

  void resize(size_t slots);
  size_t size() const;

 private:
  FetchContext begin_new(FetchSessionRequest request, MonotonicTime now, uint64_t random);
  bool make_room_locked(MonotonicTime now);

  mutable std::mutex mutex_;
  size_t slots_;
  std::unordered_map<int32_t, std::shared_ptr<FetchSession>> sessions_;
  std::list<int32_t> by_use_;  // least recently used first
};

}  // namespace barnabas::broker
