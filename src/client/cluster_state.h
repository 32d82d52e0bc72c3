// What is behind Cluster: its connections, the task that refreshes the metadata, and the lookups of coordinators. One
// loop; only the snapshot is read from elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/cluster.h"
#include "client/cluster_connections.h"
#include "client/cluster_wait.h"
#include "runtime/scope.h"

namespace barnabas::wire {
struct MetadataRequest;
struct MetadataResponse;
}  // namespace barnabas::wire

namespace barnabas::client {

struct Cluster::State {
  using Self = std::shared_ptr<State>;  // what a coroutine keeps alive
  using Peer = ClusterConnections::Peer;
  using Opened = Result<std::shared_ptr<Connection>>;

  State(runtime::World& w, runtime::Executor& l, ClientSettings s);

  // ---- connections (cluster.cpp)
  runtime::Task<Opened> connection(Self self, Target target, MonotonicTime deadline);
  runtime::Task<Opened> to_any(Self self, MonotonicTime deadline);
  runtime::Task<Opened> to_broker(Self self, int32_t broker, int purpose, MonotonicTime deadline);
  runtime::Task<Opened> to_controller(Self self, MonotonicTime deadline);
  runtime::Task<bool> back_off(Self self, int attempt, MonotonicTime deadline);
  struct Candidate {
    Peer peer;
    runtime::Endpoint to;
  };
  std::vector<Candidate> candidates(bool brokers_failed);
  // What to say when the deadline came first.
  Error out_of_time(std::string_view doing) const;
  bool closing() const { return scope.token().requested(); }
  runtime::Task<> close(Self self);

  // ---- metadata (cluster_metadata.cpp)
  std::shared_ptr<const ClusterMetadata> snapshot() const;
  void publish(std::shared_ptr<const ClusterMetadata> next);
  void track(const std::vector<std::string>& topics, bool allow_auto_creation);
  void untrack(const std::vector<std::string>& topics);
  void want_refresh();
  runtime::Task<Result<std::shared_ptr<const ClusterMetadata>>> refresh(Self self, MonotonicTime deadline);
  runtime::Task<Result<std::shared_ptr<const TopicMetadata>>> topic(Self self, std::string name,
                                                                    MonotonicTime deadline);
  // Until an update that began after this call, or (with `sequence`) that one, has succeeded.
  runtime::Task<Result<>> updated(Self self, uint64_t sequence, MonotonicTime deadline);
  void kick();
  runtime::Task<> run_updates(Self self);
  MonotonicTime update_due() const;
  struct Update {
    bool full = false;
    bool everything = false;
    std::set<std::string> topics;
  };
  Update next_update();
  wire::MetadataRequest request_for(const Update& update, int16_t version) const;
  runtime::Task<Result<>> update_once(Self self, Update update);
  Result<> take_in(const Update& update, const wire::MetadataResponse& answer);
  void rebootstrap(std::string_view why);

  // ---- coordinators (cluster_coordinators.cpp)
  struct Lookup {
    explicit Lookup(runtime::Executor& l) : ended(l) {}
    std::set<std::string> wanted;
    bool running = false;
    uint64_t rounds = 0;
    std::map<std::string, Error> failed;  // by the latest round that asked for it
    WaitList ended;
  };
  runtime::Task<Result<int32_t>> coordinator(Self self, CoordinatorType type, std::string key, MonotonicTime deadline);
  runtime::Task<> look_up(Self self, CoordinatorType type, MonotonicTime deadline);
  runtime::Task<Result<>> ask_for(Self self, CoordinatorType type, std::vector<std::string> keys,
                                  MonotonicTime deadline);
  void found(CoordinatorType type, const std::string& key, BrokerNode node);
  Lookup& lookup(CoordinatorType type);

  runtime::World& world;
  runtime::Executor& loop;
  const ClientSettings settings;
  runtime::Scope scope;
  ClusterConnections connections;

  mutable std::mutex snapshot_mutex;
  std::shared_ptr<const ClusterMetadata> current;  // under snapshot_mutex
  std::vector<std::function<void(const std::shared_ptr<const ClusterMetadata>&)>> listeners;

  std::map<std::string, bool> tracked;  // topic -> may be created
  std::map<std::string, int> once;      // topics that topic() waits for, how many times
  std::set<std::string> missing;        // to be asked for at once
  bool everything = false;              // all topics of the cluster
  bool full_wanted = false;             // soon, not more often than retry.backoff.ms
  bool urgent = false;                  // full_wanted, and now
  bool updating = false;                // run_updates() has been started
  bool full_under_way = false;          // the update under way asks for all that is tracked
  bool update_under_way = false;
  std::set<std::string> under_way;  // the topics it asks for
  uint64_t sequence = 0;            // of the latest update that began
  uint64_t succeeded = 0;           // the latest that ended well
  uint64_t succeeded_full = 0;
  std::optional<Error> update_error;  // of the latest, if it failed
  uint64_t failed = 0;                // its sequence
  int update_failures = 0;            // in a row
  int unfinished = 0;                 // updates in a row after which some partition had no leader
  MonotonicTime update_began{};
  MonotonicTime update_again_at{};  // not before, after a failure or without leaders
  std::optional<MonotonicTime> out_of_reach_since;
  bool use_bootstrap = true;  // the brokers known are not to be trusted
  WaitList kicked;
  WaitList update_done;

  std::map<std::pair<CoordinatorType, std::string>, int32_t> coordinators;
  std::map<CoordinatorType, Lookup> lookups;
  bool closed = false;
};

}  // namespace barnabas::client
