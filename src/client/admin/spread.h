// How one call on many things becomes few requests: the things are grouped by the broker that has to answer, one
// request goes to each, and what must be asked elsewhere (the leader moved, the coordinator is loading) is asked again
// after a back-off, until the deadline.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/admin_types.h"
#include "client/cluster.h"
#include "runtime/task.h"

namespace barnabas::client::admin {

template <class Key, class Value>
using Outcomes = std::map<Key, Result<Value>>;

// The leader of each partition, by refreshing the metadata of its topics: those without one are errors.
struct Leaders {
  std::map<int32_t, std::vector<TopicPartition>> by_broker;
  std::map<TopicPartition, Error> missing;
};
runtime::Task<Result<Leaders>> find_leaders(Cluster& cluster, std::vector<TopicPartition> partitions,
                                            MonotonicTime deadline);

// Partitions by topic, the shape most requests have.
std::map<std::string, std::vector<int32_t>> by_topic(const std::vector<TopicPartition>& partitions);

// Asks the leaders. `ask(cluster, broker, partitions, deadline)` is a coroutine that sends one request and returns the
// outcome of each partition; retriable ones come back here.
template <class Value, class Ask>
runtime::Task<Result<Outcomes<TopicPartition, Value>>> ask_leaders(Cluster& cluster, std::vector<TopicPartition> all,
                                                                   MonotonicTime deadline, Ask ask) {
  Outcomes<TopicPartition, Value> done;
  for (int attempt = 0; !all.empty(); ++attempt) {
    auto leaders = co_await find_leaders(cluster, all, deadline);
    if (!leaders) co_return std::unexpected(leaders.error());
    Outcomes<TopicPartition, Value> round;
    for (auto& [partition, error] : leaders->missing) round.emplace(partition, std::unexpected(error));
    for (auto& [broker, partitions] : leaders->by_broker) {
      auto answered = co_await ask(cluster, broker, partitions, deadline);
      if (!answered) {
        for (const auto& partition : partitions) round.emplace(partition, std::unexpected(answered.error()));
        continue;
      }
      round.merge(*answered);
    }
    all.clear();
    for (auto& [partition, outcome] : round) {
      bool again = !outcome && outcome.error().retriable;
      if (again) all.push_back(partition);
      done.insert_or_assign(partition, std::move(outcome));
    }
    if (all.empty()) break;
    auto slept = co_await cluster.back_off(attempt, deadline);
    if (!slept) break;
  }
  co_return done;
}

// Asks the coordinator of each group (or transactional id). `ask(cluster, broker, keys, deadline)` as above.
template <class Value, class Ask>
runtime::Task<Result<Outcomes<std::string, Value>>> ask_coordinators(Cluster& cluster, CoordinatorType type,
                                                                     std::vector<std::string> all,
                                                                     MonotonicTime deadline, Ask ask) {
  Outcomes<std::string, Value> done;
  for (int attempt = 0; !all.empty(); ++attempt) {
    std::map<int32_t, std::vector<std::string>> by_broker;
    Outcomes<std::string, Value> round;
    for (const auto& key : all) {
      auto broker = co_await cluster.coordinator(type, key, deadline);
      if (broker) {
        by_broker[*broker].push_back(key);
      } else {
        round.emplace(key, std::unexpected(broker.error()));
      }
    }
    for (auto& [broker, keys] : by_broker) {
      auto answered = co_await ask(cluster, broker, keys, deadline);
      if (!answered) {
        for (const auto& key : keys) round.emplace(key, std::unexpected(answered.error()));
        continue;
      }
      round.merge(*answered);
    }
    all.clear();
    for (auto& [key, outcome] : round) {
      bool again = !outcome && outcome.error().retriable;
      if (again) {
        all.push_back(key);
        cluster.forget_coordinator(type, key);
      }
      done.insert_or_assign(key, std::move(outcome));
    }
    if (all.empty()) break;
    auto slept = co_await cluster.back_off(attempt, deadline);
    if (!slept) break;
  }
  co_return done;
}

// Sends a request that the controller answers, again while it says that it is not (or no longer) the controller.
// `code_of(answer)` is the code that says so.
template <class Response, class Request, class CodeOf>
runtime::Task<Result<Answer<Response>>> ask_controller(Cluster& cluster, Request request, MonotonicTime deadline,
                                                       CodeOf code_of) {
  for (int attempt = 0;; ++attempt) {
    auto answer = co_await cluster.call<Response>(Target::controller(), request, deadline);
    if (!answer) co_return answer;
    wire::KafkaError code = code_of(answer->message);
    if (code != wire::KafkaError::kNotController && code != wire::KafkaError::kThrottlingQuotaExceeded)
      co_return answer;
    cluster.request_refresh();
    auto slept = co_await cluster.back_off(attempt, deadline);
    if (!slept) co_return answer;
  }
}

// An outcome out of a code and what the broker said with it.
template <class Value>
Result<Value> outcome(wire::KafkaError code, std::string_view what, const std::optional<std::string>& message,
                      Value value) {
  if (code != wire::KafkaError::kNone) return std::unexpected(broker_error(code, what, message));
  return value;
}
inline Result<> outcome(wire::KafkaError code, std::string_view what, const std::optional<std::string>& message = {}) {
  if (code != wire::KafkaError::kNone) return std::unexpected(broker_error(code, what, message));
  return {};
}

inline MonotonicTime api_deadline(Cluster& cluster) {
  return cluster.deadline_in(cluster.settings().default_api_timeout_ms);
}
inline int32_t request_timeout_ms(Cluster& cluster) {
  return static_cast<int32_t>(cluster.settings().request_timeout_ms);
}
// "topic orders", "partition orders-3": how an error begins.
std::string name_of(const TopicPartition& partition);

// Names of the operations in a bit set of authorized operations; nothing when it was not asked for.
std::optional<std::vector<std::string>> operations_of(int32_t bits);
Uuid128 public_id(const Uuid& id);
Uuid internal_id(const Uuid128& id);
// The node with this id as the metadata has it; only the id when it is not there.
Node node_of(const ClusterMetadata& metadata, int32_t id);
std::vector<Node> nodes_of(const ClusterMetadata& metadata, const std::vector<int32_t>& ids);

}  // namespace barnabas::client::admin
