// Which broker coordinates a group, a transactional id or a share group: asked for once, for all keys that are wanted
// at that moment in one request where the broker knows how.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "client/cluster_state.h"
#include "runtime/clock.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"

namespace barnabas::client {

namespace {

using wire::KafkaError;

constexpr int16_t kBatchedFrom = 4;
constexpr int16_t kTypedFrom = 1;
constexpr int16_t kShareFrom = 6;

std::string_view kind_of(CoordinatorType type) {
  switch (type) {
    case CoordinatorType::kGroup:
      return "group";
    case CoordinatorType::kTransaction:
      return "transactional id";
    case CoordinatorType::kShare:
      return "share group";
  }
  return "key";
}

}  // namespace

Cluster::State::Lookup& Cluster::State::lookup(CoordinatorType type) {
  return lookups.try_emplace(type, loop).first->second;
}

runtime::Task<Result<int32_t>> Cluster::State::coordinator(Self self, CoordinatorType type, std::string key,
                                                           MonotonicTime deadline) {
  for (int attempt = 0;; ++attempt) {
    auto known = coordinators.find({type, key});
    if (known != coordinators.end()) co_return known->second;
    if (closing()) co_return std::unexpected(out_of_time(""));
    Lookup& asking = lookup(type);
    asking.wanted.insert(key);
    // The round under way may have begun without this key.
    uint64_t ends_with = asking.rounds + (asking.running ? 2 : 1);
    if (!asking.running) {
      asking.running = true;
      scope.spawn(look_up(self, type, deadline));
    }
    bool in_time = true;
    while (in_time && !closing() && asking.rounds < ends_with && !coordinators.contains({type, key})) {
      in_time = co_await asking.ended.wait(deadline);
    }
    if (coordinators.contains({type, key})) continue;
    auto failure = asking.failed.find(key);
    bool told = failure != asking.failed.end();
    if (!in_time || closing()) {
      if (told && !closing()) co_return std::unexpected(failure->second);
      co_return std::unexpected(out_of_time(fmt::format("finding the coordinator of {} {}", kind_of(type), key)));
    }
    if (told && !failure->second.retriable) co_return std::unexpected(failure->second);
    Error last = told ? failure->second : out_of_time("finding the coordinator");
    auto slept = co_await back_off(self, attempt, deadline);
    if (!slept) co_return std::unexpected(last);
  }
}

runtime::Task<> Cluster::State::look_up(Self self, CoordinatorType type, MonotonicTime deadline) {
  Lookup& asking = lookup(type);
  while (!closing() && !asking.wanted.empty()) {
    std::vector<std::string> keys(asking.wanted.begin(), asking.wanted.end());
    asking.wanted.clear();
    // Others' failures stay: they may not have been read yet.
    for (const std::string& key : keys) asking.failed.erase(key);
    // Later rounds are for those who came later.
    MonotonicTime limit = std::max(deadline, loop.clock().now() + milliseconds(settings.request_timeout_ms));
    auto asked = co_await ask_for(self, type, keys, limit);
    if (!asked) {
      for (const std::string& key : keys) asking.failed.insert_or_assign(key, asked.error());
    }
    ++asking.rounds;
    asking.ended.wake_all();
  }
  asking.running = false;
}

runtime::Task<Result<>> Cluster::State::ask_for(Self self, CoordinatorType type, std::vector<std::string> keys,
                                                MonotonicTime deadline) {
  using Request = wire::FindCoordinatorRequest;
  using Response = wire::FindCoordinatorResponse;
  auto peer = co_await to_any(self, deadline);
  if (!peer) co_return std::unexpected(peer.error());
  auto version = (*peer)->version_of<Request>();
  if (!version) co_return std::unexpected(version.error());
  int16_t needed = type == CoordinatorType::kShare         ? kShareFrom
                   : type == CoordinatorType::kTransaction ? kTypedFrom
                                                           : 0;
  if (*version < needed) {
    co_return std::unexpected((*peer)->version(Request::kApiKey, Request::kName, needed, Request::kMaxVersion).error());
  }
  Duration timeout = milliseconds(settings.request_timeout_ms);
  Lookup& asking = lookup(type);
  if (*version >= kBatchedFrom) {
    Request request;
    request.key_type = static_cast<int8_t>(type);
    request.coordinator_keys = keys;
    auto answer = co_await (*peer)->call<Response>(request, *version, timeout);
    if (!answer) co_return std::unexpected(answer.error());
    for (const auto& each : answer->message.coordinators) {
      if (each.error_code == KafkaError::kNone) {
        found(type, each.key, {.id = each.node_id, .host = each.host, .port = each.port, .rack = {}});
      } else {
        asking.failed.insert_or_assign(
            each.key, broker_error(each.error_code, fmt::format("{} {}", kind_of(type), each.key), each.error_message));
      }
    }
    co_return Result<>{};
  }
  for (const std::string& key : keys) {
    Request request;
    request.key = key;
    request.key_type = static_cast<int8_t>(type);
    auto answer = co_await (*peer)->call<Response>(request, *version, timeout);
    if (!answer) co_return std::unexpected(answer.error());
    const Response& message = answer->message;
    if (message.error_code == KafkaError::kNone) {
      found(type, key, {.id = message.node_id, .host = message.host, .port = message.port, .rack = {}});
    } else {
      asking.failed.insert_or_assign(
          key, broker_error(message.error_code, fmt::format("{} {}", kind_of(type), key), message.error_message));
    }
  }
  co_return Result<>{};
}

void Cluster::State::found(CoordinatorType type, const std::string& key, BrokerNode node) {
  coordinators.insert_or_assign({type, key}, node.id);
  auto before = snapshot();
  if (before->brokers.contains(node.id)) return;
  auto after = std::make_shared<ClusterMetadata>(*before);
  after->brokers.insert_or_assign(node.id, std::move(node));
  publish(std::move(after));
}

}  // namespace barnabas::client
