// Sessions: which brokers were heard of lately. Soft state of the active controller: not in the log, forgotten when it
// steps down, and generous when it starts (everybody gets a whole new session).
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace barnabas::controller {

class Sessions {
 public:
  explicit Sessions(Duration timeout) : timeout_(timeout) {}

  void clear() { sessions_.clear(); }
  void remove(BrokerId broker) { sessions_.erase(broker); }
  // Heard of `broker`, which has applied the metadata log up to `metadata_offset`.
  void touch(BrokerId broker, MonotonicTime now, Offset metadata_offset);
  void set_shutdown_offset(BrokerId broker, Offset offset);

  bool live(BrokerId broker, MonotonicTime now) const;
  std::optional<Offset> metadata_offset(BrokerId broker) const;
  // Where the log said that `broker` is shutting down.
  std::optional<Offset> shutdown_offset(BrokerId broker) const;
  std::vector<BrokerId> expired(MonotonicTime now) const;
  std::optional<MonotonicTime> next_expiry() const;

 private:
  struct Session {
    MonotonicTime last_contact;
    Offset metadata_offset{-1};
    std::optional<Offset> shutdown_offset;
  };
  Duration timeout_;
  std::map<BrokerId, Session> sessions_;
};

}  // namespace barnabas::controller
