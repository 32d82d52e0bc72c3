// DeadlineIndex: which group must be looked at when. A group is in it at most once, at a time not later than any
// deadline of its own: a heartbeat only moves deadlines back, so it does not touch the index at all.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/time.h"
#include "group/classic_group.h"

namespace barnabas::group {

class DeadlineIndex {
 public:
  // The group has a deadline at `deadline` (among others).
  void add(ClassicGroup& group, MonotonicTime deadline) {
    if (group.armed && *group.armed <= deadline) return;
    remove(group);
    group.armed = deadline;
    due_.emplace(deadline, group.id());
  }
  void remove(ClassicGroup& group) {
    if (group.armed) due_.erase({*group.armed, group.id()});
    group.armed.reset();
  }

  std::optional<MonotonicTime> earliest() const {
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first;
  }
  // A group that is due at `now`, if there is one; stays in the index until remove().
  const std::string* due(MonotonicTime now) const {
    return due_.empty() || due_.begin()->first > now ? nullptr : &due_.begin()->second;
  }

 private:
  std::set<std::pair<MonotonicTime, std::string>> due_;
};

}  // namespace barnabas::group
