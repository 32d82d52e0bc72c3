// ConnectionQuotas: how many connections there may be, and how fast new ones may come: of the node, of a listener, of
// one address. What is over a maximum of connections or a rate waits to be accepted; what is over the maximum of its
// address is refused. The listener the brokers use among themselves is let in beyond the node's maximum, and another
// connection ends for it. One per set of listeners that share the limits; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"
#include "runtime/completion.h"
#include "runtime/task.h"

namespace barnabas::net {

struct ConnectionLimits {
  struct Scope {
    int64_t connections_max = INT32_MAX;  // max.connections
    int64_t per_second_max = INT32_MAX;   // max.connection.creation.rate
  };
  Scope node;
  std::map<std::string, Scope, std::less<>> listeners;  // where it is not the node's
  int64_t per_ip_max = INT32_MAX;                       // max.connections.per.ip
  std::map<std::string, int64_t> per_ip_overrides;      // max.connections.per.ip.overrides; addresses as written
  std::string inter_broker_listener;
};

// Arrivals over the last seconds, and how long to wait so that their rate falls to a maximum. Kafka's numbers: eleven
// samples of a second, and at least ten seconds to divide by, so that a pause allows a burst.
class ArrivalRate {
 public:
  Duration record(MonotonicTime now, int64_t per_second_max);

 private:
  static constexpr size_t kSamples = 11;
  struct Sample {
    MonotonicTime begin{0};
    int64_t arrivals = 0;
  };
  std::deque<Sample> samples_;
};

class ConnectionQuotas {
 public:
  explicit ConnectionQuotas(ConnectionLimits limits) : limits_(std::move(limits)) {}

  // Who shares the limits. `on_excess` is called, on any thread, when connections may have to end; an empty one takes
  // it back.
  void add_listener(const std::string& listener, std::function<void()> on_excess);
  void update(ConnectionLimits limits);

  enum class Verdict { kAdmitted, kTooManyOfAddress, kCancelled };
  // Waits on `home` until there is room for a connection of `listener` from `host`.
  runtime::Task<Verdict> admit(runtime::Executor& home, std::string listener, std::string host,
                               runtime::CancelToken token);
  // An admitted connection has ended; `excess`: it was taken by take_excess().
  void leave(const std::string& listener, const std::string& host, bool excess);

  // True when a connection of `listener` has to end, which is then the caller's to do.
  bool take_excess(const std::string& listener);

  int64_t connections() const;
  int64_t per_ip_max(const std::string& host) const;

 private:
  struct Listener {
    int64_t connections = 0;
    ArrivalRate rate;
    std::function<void()> on_excess;
  };

  ConnectionLimits::Scope scope_locked(const std::string& listener) const;
  bool is_protected_locked(const std::string& listener) const;
  int64_t per_ip_max_locked(const std::string& host) const;
  Duration delay_locked(const std::string& listener, MonotonicTime now);
  bool has_room_locked(const std::string& listener) const;
  void wake_waiting();
  void tell_of_excess();

  mutable std::mutex mutex_;
  ConnectionLimits limits_;
  std::map<std::string, Listener> listeners_;
  std::map<std::string, int64_t> per_ip_;
  ArrivalRate rate_;
  int64_t connections_ = 0;
  int64_t leaving_ = 0;  // taken as excess and not gone yet
  std::vector<runtime::Completion<bool>> waiting_;
};

}  // namespace barnabas::net
