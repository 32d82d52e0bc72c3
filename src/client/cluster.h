// Cluster: a client's view of one Kafka cluster: connections by broker, the metadata known so far, coordinators. The
// producer, consumer and admin client each have one; it belongs to their loop.
//
// Connections are opened when asked for, one per broker (and purpose), with back-off after failures (KIP-144), several
// addresses of a name tried in turn (KIP-302), and closed after connections.max.idle.ms. When no broker of the metadata
// can be reached for metadata.recovery.rebootstrap.trigger.ms, or one answers REBOOTSTRAP_REQUIRED, the bootstrap list
// is used again (KIP-899, KIP-1102).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/types.h"
#include "base/ids.h"
#include "base/uuid.h"
#include "client/connection.h"
#include "client/settings.h"
#include "wire/kafka_error.h"

namespace barnabas::client {

struct BrokerNode {
  int32_t id = -1;
  std::string host;
  int32_t port = 0;
  std::optional<std::string> rack;
};

struct PartitionMetadata {
  int32_t leader = -1;  // -1: none
  int32_t leader_epoch = -1;
  std::vector<int32_t> replicas, in_sync_replicas, offline_replicas;
  wire::KafkaError error = wire::KafkaError::kNone;
};

struct TopicMetadata {
  std::string name;
  Uuid id;  // zero: the cluster is too old for ids
  bool internal = false;
  wire::KafkaError error = wire::KafkaError::kNone;  // UNKNOWN_TOPIC_OR_PARTITION, TOPIC_AUTHORIZATION_FAILED, …
  std::vector<PartitionMetadata> partitions;         // by partition id
};

// Immutable; a new one replaces it. Held by shared_ptr, so that readers keep what they decided on.
struct ClusterMetadata {
  std::string cluster_id;
  int32_t controller = -1;
  std::map<int32_t, BrokerNode> brokers;
  std::map<std::string, std::shared_ptr<const TopicMetadata>, std::less<>> topics;
  std::map<Uuid, std::string> names;  // by topic id
  MonotonicTime fetched{};

  const TopicMetadata* topic(std::string_view name) const;
  const PartitionMetadata* partition(std::string_view topic, int32_t partition) const;
};

enum class CoordinatorType : int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };

// Which broker a request is for. `purpose` keeps a long poll from delaying other requests to the same broker: each
// purpose has a connection of its own.
struct Target {
  enum class Kind { kAny, kBroker, kController } kind = Kind::kAny;
  int32_t broker = -1;
  int purpose = 0;
  static Target any() { return {}; }
  static Target of(int32_t broker, int purpose = 0) { return {Kind::kBroker, broker, purpose}; }
  static Target controller() { return {Kind::kController}; }
};
inline constexpr int kPurposeCoordinator = 1;
inline constexpr int kPurposeFetch = 2;

class Cluster {
 public:
  // `world`, `loop` and what token cancels outlive it; cancel, then await close().
  Cluster(runtime::World& world, runtime::Executor& loop, ClientSettings settings);
  ~Cluster();

  runtime::World& world();
  runtime::Executor& loop();
  const ClientSettings& settings() const;
  // Requested by close(): loops of the client end with it.
  runtime::CancelToken token() const;

  // A ready connection. Waits for back-off and connecting until `deadline`: to any broker for as long as that; to one
  // that is named, one attempt, since it may have been replaced. kNotReachable, kTimedOut, kAuthentication…
  runtime::Task<Result<std::shared_ptr<Connection>>> connection(Target target, MonotonicTime deadline);
  // The open connection to a broker, or null: no waiting (the producer's fast path).
  std::shared_ptr<Connection> connected(int32_t broker, int purpose = 0);

  // connection() and call() at the highest common version (at most `limit`), trying other brokers for kAny, and the new
  // controller after NOT_CONTROLLER, until `deadline`. The message's own error codes are the caller's business, except
  // NOT_CONTROLLER at its top.
  template <class Response, class Request>
  runtime::Task<Result<Answer<Response>>> call(Target target, Request request, MonotonicTime deadline,
                                               int16_t limit = Request::kMaxVersion) {
    Result<Answer<Response>> answer = std::unexpected(Error{});
    for (int attempt = 0;; ++attempt) {
      auto peer = co_await connection(target, deadline);
      if (peer) {
        auto version = (*peer)->template version_of<Request>(limit);
        if (!version) co_return std::unexpected(version.error());
        answer = co_await (*peer)->template call<Response>(request, *version, left_until(deadline));
        bool refused = answer && target.kind == Target::Kind::kController && not_controller(answer->message);
        if (answer && !refused) co_return answer;
        if (refused) forget_controller();
      } else {
        answer = std::unexpected(peer.error());
      }
      if (!answer && !may_retry(answer.error(), deadline)) co_return answer;
      auto slept = co_await back_off(attempt, deadline);
      if (!slept) co_return answer;
    }
  }
  // A broker answered NOT_CONTROLLER: the next call to the controller asks first which it is.
  void forget_controller();
  // request.timeout.ms, or what is left until `deadline` if that is less.
  Duration left_until(MonotonicTime deadline) const;
  bool may_retry(const Error& error, MonotonicTime deadline) const;
  // Sleeps retry.backoff.ms * 2^attempt with jitter, at most retry.backoff.max.ms (KIP-580). False: the deadline came
  // first, or the client closes.
  runtime::Task<bool> back_off(int attempt, MonotonicTime deadline);
  MonotonicTime deadline_in(int64_t ms) const;

  // Metadata. The snapshot known now; any thread.
  std::shared_ptr<const ClusterMetadata> metadata() const;
  // Topics that refreshes ask for. Tracking one that is not known asks at once.
  void track_topics(const std::vector<std::string>& topics, bool allow_auto_creation);
  void untrack_topics(const std::vector<std::string>& topics);
  void track_all_topics(bool all);  // for subscriptions by pattern
  // Asks now, or joins the request under way, and waits for the answer. kNotReachable, kTimedOut, …
  runtime::Task<Result<std::shared_ptr<const ClusterMetadata>>> refresh(MonotonicTime deadline);
  // Refreshes until `topic` is known with all its partitions (auto-created if allowed) or known not to be there:
  // kBroker/UNKNOWN_TOPIC_OR_PARTITION after the deadline, INVALID_TOPIC, TOPIC_AUTHORIZATION_FAILED at once.
  runtime::Task<Result<std::shared_ptr<const TopicMetadata>>> topic(std::string name, MonotonicTime deadline);
  // The metadata is out of date: refresh soon (not more often than retry.backoff.ms).
  void request_refresh();
  // A broker named a newer leader in its answer (KIP-951).
  void learn_leader(const std::string& topic, int32_t partition, int32_t leader, int32_t leader_epoch,
                    std::vector<BrokerNode> endpoints);
  // `changed` is called on the loop after each new snapshot; until unsubscribed by destroying the client.
  void on_metadata(std::function<void(const std::shared_ptr<const ClusterMetadata>&)> changed);

  // The broker that coordinates `key`, asked for when unknown; retries COORDINATOR_NOT_AVAILABLE until `deadline`.
  runtime::Task<Result<int32_t>> coordinator(CoordinatorType type, std::string key, MonotonicTime deadline);
  void forget_coordinator(CoordinatorType type, const std::string& key);

  // Ends everything: waiting calls end with kClosed, connections close. Await it before destroying.
  runtime::Task<> close();

 private:
  template <class Message>
  static bool not_controller(const Message& message) {
    if constexpr (requires { message.error_code == wire::KafkaError::kNotController; }) {
      return message.error_code == wire::KafkaError::kNotController;
    }
    return false;
  }

  struct State;
  std::shared_ptr<State> state_;
};

// The Error for a code that a broker answered, with its name, whether it is retriable, and Kafka's sentence for it
// unless the broker sent one. `what` begins the sentence: "topic orders".
Error broker_error(wire::KafkaError code, std::string_view what, const std::optional<std::string>& message = {});
using wire::is_retriable;
// The Error of a lower layer (socket, bytes) as the library's.
Error from_base(const barnabas::Error& error);

}  // namespace barnabas::client
