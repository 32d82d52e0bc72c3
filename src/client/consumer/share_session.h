// The session of a share consumer with one broker, see share_core.h.
#pragma once

#include <set>
#include <utility>

#include "client/consumer/share_core.h"

namespace barnabas::client {

struct ShareConsumer::Core::Session {
  Session(int32_t broker, runtime::Executor& loop) : id(broker), bell(loop), free(loop) {}
  int32_t id;
  Bell bell;  // something may be to do
  Bell free;  // a request has ended
  int32_t epoch = 0;
  bool busy = false;
  bool hurry = false;  // commit() waits: no long poll now
  int failures = 0;
  std::set<std::pair<Uuid, int32_t>> wanted;
  std::set<std::pair<Uuid, int32_t>> known;  // to the broker
};

}  // namespace barnabas::client
