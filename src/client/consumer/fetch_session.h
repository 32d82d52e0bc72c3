// FetchSession: the consumer's half of an incremental fetch session with one broker (KIP-227): what the broker knows
// already is not told again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "barnabas/types.h"
#include "base/uuid.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"

namespace barnabas::client {

// One partition that is wanted now.
struct FetchWish {
  std::shared_ptr<const std::string> topic;
  Uuid topic_id;
  int32_t partition = -1;
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  int32_t max_bytes = 0;
};

class FetchSession {
 public:
  // Fills the session fields, topics and forgotten topics of `request`, which has views of the wishes' topic names.
  // `by_id`: version 13 or later.
  void fill(wire::FetchRequest& request, const std::vector<FetchWish>& wishes, bool by_id);
  // False when the broker does not know the session as we do: then the next request starts a new one. The partitions of
  // such an answer are to be ignored.
  bool settle(const wire::FetchResponse& response);
  // The answer never came.
  void lost() { epoch_ = 0; }
  // Whether there is something to close; `request` then does it.
  bool fill_close(wire::FetchRequest& request) const;
  int32_t id() const { return id_; }

 private:
  struct Known {
    std::shared_ptr<const std::string> topic;
    Uuid topic_id;
    int64_t offset = -1;
    int32_t leader_epoch = -1;
  };
  int32_t id_ = 0;
  int32_t epoch_ = 0;
  bool by_id_ = false;
  std::map<TopicPartition, Known> known_;
  std::map<TopicPartition, Known> forgotten_;  // by the last request, which has views of it
};

}  // namespace barnabas::client
