#include "net/connection_quotas.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "runtime/clock.h"
#include "runtime/sleep.h"

namespace barnabas::net {

Duration ArrivalRate::record(MonotonicTime now, int64_t per_second_max) {
  constexpr Duration kSampleTime = std::chrono::seconds(1);
  constexpr Duration kShortestTime = kSampleTime * (kSamples - 1);
  while (!samples_.empty() && now - samples_.front().begin >= kSampleTime * kSamples) samples_.pop_front();
  if (samples_.empty() || now - samples_.back().begin >= kSampleTime) samples_.push_back({.begin = now});
  ++samples_.back().arrivals;
  if (per_second_max >= INT32_MAX) return Duration::zero();
  int64_t arrivals = 0;
  for (const Sample& sample : samples_) arrivals += sample.arrivals;
  double time = std::chrono::duration<double>(std::max<Duration>(now - samples_.front().begin, kShortestTime)).count();
  double bound = static_cast<double>(std::max<int64_t>(per_second_max, 0));
  double rate = static_cast<double>(arrivals) / time;
  if (rate <= bound) return Duration::zero();
  // Never longer than a sample: the wait is checked for every connection, and stopping must not take for ever.
  double excess_seconds = bound == 0 ? 1.0 : (rate - bound) / bound * time;
  return milliseconds(static_cast<int64_t>(std::min(excess_seconds, 1.0) * 1000));
}

void ConnectionQuotas::add_listener(const std::string& listener, std::function<void()> on_excess) {
  std::lock_guard lock(mutex_);
  listeners_[listener].on_excess = std::move(on_excess);
}

void ConnectionQuotas::update(ConnectionLimits limits) {
  {
    std::lock_guard lock(mutex_);
    limits_ = std::move(limits);
  }
  wake_waiting();
  tell_of_excess();
}

ConnectionLimits::Scope ConnectionQuotas::scope_locked(const std::string& listener) const {
  auto found = limits_.listeners.find(listener);
  return found == limits_.listeners.end() ? limits_.node : found->second;
}

bool ConnectionQuotas::is_protected_locked(const std::string& listener) const {
  return listeners_.size() > 1 && listener == limits_.inter_broker_listener;
}

int64_t ConnectionQuotas::per_ip_max_locked(const std::string& host) const {
  auto found = limits_.per_ip_overrides.find(host);
  return found == limits_.per_ip_overrides.end() ? limits_.per_ip_max : found->second;
}

int64_t ConnectionQuotas::per_ip_max(const std::string& host) const {
  std::lock_guard lock(mutex_);
  return per_ip_max_locked(host);
}

int64_t ConnectionQuotas::connections() const {
  std::lock_guard lock(mutex_);
  return connections_;
}

Duration ConnectionQuotas::delay_locked(const std::string& listener, MonotonicTime now) {
  Duration delay = listeners_[listener].rate.record(now, scope_locked(listener).per_second_max);
  if (is_protected_locked(listener)) return delay;
  return std::max(delay, rate_.record(now, limits_.node.per_second_max));
}

bool ConnectionQuotas::has_room_locked(const std::string& listener) const {
  auto of_listener = listeners_.find(listener);
  int64_t count = of_listener == listeners_.end() ? 0 : of_listener->second.connections;
  if (count >= scope_locked(listener).connections_max) return false;
  return is_protected_locked(listener) || connections_ < limits_.node.connections_max;
}

runtime::Task<ConnectionQuotas::Verdict> ConnectionQuotas::admit(runtime::Executor& home, std::string listener,
                                                                 std::string host, runtime::CancelToken token) {
  Duration delay;
  {
    std::lock_guard lock(mutex_);
    delay = delay_locked(listener, home.clock().now());
  }
  if (delay > Duration::zero()) {
    bool elapsed = co_await runtime::sleep_for(home, delay, token);
    if (!elapsed) co_return Verdict::kCancelled;
  }
  while (true) {
    runtime::Completion<bool> room;
    bool excess = false;
    {
      std::lock_guard lock(mutex_);
      if (has_room_locked(listener)) {
        int64_t& of_host = per_ip_[host];
        if (of_host >= per_ip_max_locked(host)) {
          if (of_host == 0) per_ip_.erase(host);
          co_return Verdict::kTooManyOfAddress;
        }
        ++of_host;
        ++listeners_[listener].connections;
        ++connections_;
        excess = connections_ - leaving_ > limits_.node.connections_max;
        if (!excess) co_return Verdict::kAdmitted;
      } else {
        waiting_.push_back(room);
      }
    }
    if (excess) {
      tell_of_excess();
      co_return Verdict::kAdmitted;
    }
    auto woken = co_await room.wait(home, token);
    if (!woken) co_return Verdict::kCancelled;
  }
}

void ConnectionQuotas::leave(const std::string& listener, const std::string& host, bool excess) {
  {
    std::lock_guard lock(mutex_);
    --connections_;
    --listeners_[listener].connections;
    if (excess) --leaving_;
    auto found = per_ip_.find(host);
    CHECK(found != per_ip_.end(), "a connection left that was not admitted");
    if (--found->second == 0) per_ip_.erase(found);
  }
  wake_waiting();
}

bool ConnectionQuotas::take_excess(const std::string& listener) {
  std::lock_guard lock(mutex_);
  if (is_protected_locked(listener) || connections_ - leaving_ <= limits_.node.connections_max) return false;
  ++leaving_;
  return true;
}

void ConnectionQuotas::wake_waiting() {
  std::vector<runtime::Completion<bool>> waiting;
  {
    std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const auto& room : waiting) room.set(true);
}

void ConnectionQuotas::tell_of_excess() {
  std::vector<std::function<void()>> listeners;
  {
    std::lock_guard lock(mutex_);
    if (connections_ - leaving_ <= limits_.node.connections_max) return;
    for (const auto& [name, listener] : listeners_) {
      if (listener.on_excess) listeners.push_back(listener.on_excess);
    }
  }
  for (const auto& tell : listeners) tell();
}

}  // namespace barnabas::net
