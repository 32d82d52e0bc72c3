// GroupCoordinator: drives the group cores (group::GroupShard), one per partition of __consumer_offsets led here. Loads
// a shard when leadership comes, appends what it decides as one batch, hands it the high watermark, sends its replies
// to the requests that wait on their own loops. Called from any loop; each shard is behind its own lock, never held
// across a wait.
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "broker/api/api.h"
#include "group/group_shard.h"
#include "group/types.h"
#include "runtime/scope.h"
#include "runtime/task.h"
#include "wire/kafka_error.h"

namespace barnabas::broker {

class Broker;
class Partition;

class GroupCoordinator {
 public:
  explicit GroupCoordinator(Broker& broker);
  ~GroupCoordinator();

  void start();
  runtime::Task<> stop();

  // On loops[0].
  void leadership_changed(std::shared_ptr<Partition> partition);
  void settings_changed();
  void topic_deleted(const std::string& name, const Uuid& id);

  // Asks the shard of `group`: `decide(shard, caller, now)` returns an Output; the reply to the caller's token comes
  // back on the caller's loop. An error instead: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS,
  // COORDINATOR_NOT_AVAILABLE.
  using Decide = std::function<group::Output(group::GroupShard&, const group::Caller&, group::Now)>;
  runtime::Task<std::expected<group::ReplyBody, wire::KafkaError>> ask(Caller& caller, std::string_view group,
                                                                       Decide decide);
  // Reads the shard of `group`, at once.
  wire::KafkaError read(std::string_view group, const std::function<void(const group::GroupShard&)>& look);
  // Resumes when what was decided about `group` (about all groups, without one) before this call is committed, and so
  // is what read() shows: a client that was told it joined finds itself in the list.
  runtime::Task<> settled(Caller& caller, std::optional<std::string_view> group);
  // Every shard led here, loaded; kCoordinatorLoadInProgress when one is still loading.
  wire::KafkaError read_all(const std::function<void(const group::GroupShard&)>& look);

  // The partition of __consumer_offsets that `group` belongs to; -1 while the topic does not exist.
  int32_t partition_of(std::string_view group) const;

 private:
  struct Shard;
  using ShardPtr = std::shared_ptr<Shard>;

  ShardPtr find(std::string_view group, wire::KafkaError& error) const;
  static runtime::Task<> run(GroupCoordinator* self, ShardPtr shard);
  static runtime::Task<> expire(GroupCoordinator* self);
  Result<> load(Shard& shard, std::vector<std::string>& complaints);
  void resign(Shard& shard);
  void settle_locked(Shard& shard, bool all);
  void for_each_ready(const std::function<void(Shard&)>& visit);
  group::Now now() const;
  // `loop`: the one this runs on.
  void obey_locked(Shard& shard, group::Output output, runtime::Executor& loop);
  group::GroupConfig config() const;

  Broker& broker_;
  runtime::Scope scope_;
  mutable std::shared_mutex mutex_;  // of shards_
  std::map<int32_t, ShardPtr> shards_;
};

}  // namespace barnabas::broker
