// The metadata of a Cluster: one task asks for what is wanted, one request at a time; everybody else waits for it.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "client/cluster_state.h"
#include "client/metadata_cache.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/random.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace barnabas::client {

namespace {

using wire::KafkaError;

// Asking again does not help.
bool is_final(KafkaError error) {
  return error != KafkaError::kNone && error != KafkaError::kUnknownTopicOrPartition && !wire::is_retriable(error);
}

bool is_complete(const TopicMetadata& topic) {
  return topic.error == KafkaError::kNone && !topic.partitions.empty();
}

bool lacks_leader(const TopicMetadata& topic) {
  if (wire::is_retriable(topic.error)) return true;
  return std::ranges::any_of(topic.partitions, [](const PartitionMetadata& each) { return each.leader < 0; });
}

}  // namespace

std::shared_ptr<const ClusterMetadata> Cluster::State::snapshot() const {
  std::lock_guard lock(snapshot_mutex);
  return current;
}

void Cluster::State::publish(std::shared_ptr<const ClusterMetadata> next) {
  {
    std::lock_guard lock(snapshot_mutex);
    current = next;
  }
  // A listener may add another.
  for (size_t i = 0; i < listeners.size(); ++i) {
    auto listener = listeners[i];
    listener(next);
  }
}

// ---- what is wanted

void Cluster::State::track(const std::vector<std::string>& topics, bool allow_auto_creation) {
  auto known = snapshot();
  for (const std::string& name : topics) {
    bool fresh = tracked.insert_or_assign(name, allow_auto_creation).second;
    if (fresh && !known->topic(name)) missing.insert(name);
  }
  kick();
}

void Cluster::State::untrack(const std::vector<std::string>& topics) {
  for (const std::string& name : topics) {
    tracked.erase(name);
    missing.erase(name);
  }
}

void Cluster::State::want_refresh() {
  full_wanted = true;
  kick();
}

void Cluster::State::kick() {
  if (closed) return;
  if (!updating) {
    updating = true;
    scope.spawn(run_updates(nullptr));
  }
  kicked.wake_all();
}

// ---- who waits

runtime::Task<Result<>> Cluster::State::updated([[maybe_unused]] Self self, uint64_t wanted, MonotonicTime deadline) {
  while (succeeded < wanted) {
    if (closing()) co_return std::unexpected(Error{.kind = Error::Kind::kClosed, .message = "the client was closed"});
    if (update_error && failed >= wanted && !update_error->retriable) co_return std::unexpected(*update_error);
    auto woken = co_await update_done.wait(deadline);
    if (!woken && succeeded < wanted) co_return std::unexpected(out_of_time("asking for metadata"));
  }
  co_return Result<>{};
}

runtime::Task<Result<std::shared_ptr<const ClusterMetadata>>> Cluster::State::refresh(Self self,
                                                                                      MonotonicTime deadline) {
  // The one under way serves if it asks for everything wanted now.
  bool join = full_under_way && missing.empty();
  uint64_t wanted = join ? sequence : sequence + 1;
  if (!join) {
    full_wanted = urgent = true;
    kick();
  }
  auto done = co_await updated(self, wanted, deadline);
  if (!done) co_return std::unexpected(done.error());
  co_return snapshot();
}

runtime::Task<Result<std::shared_ptr<const TopicMetadata>>> Cluster::State::topic(Self self, std::string name,
                                                                                  MonotonicTime deadline) {
  ++once[name];
  Result<std::shared_ptr<const TopicMetadata>> result = nullptr;
  for (int attempt = 0;; ++attempt) {
    auto known = snapshot();
    auto found = known->topics.find(name);
    bool there = found != known->topics.end();
    if (there && is_complete(*found->second)) {
      result = found->second;
      break;
    }
    if (there && attempt > 0 && is_final(found->second->error)) {
      result = std::unexpected(broker_error(found->second->error, "topic " + name));
      break;
    }
    if (attempt > 0) {
      auto in_time = co_await back_off(self, attempt - 1, deadline);
      if (!in_time) {
        if (closing()) {
          result = std::unexpected(out_of_time(""));
        } else {
          KafkaError error = there && found->second->error != KafkaError::kNone ? found->second->error
                                                                                : KafkaError::kUnknownTopicOrPartition;
          result = std::unexpected(broker_error(error, "topic " + name));
        }
        break;
      }
    }
    bool join =
        update_under_way && !missing.contains(name) && sequence > succeeded && attempt == 0 && under_way.contains(name);
    uint64_t wanted = join ? sequence : sequence + 1;
    if (!join) {
      missing.insert(name);
      kick();
    }
    auto done = co_await updated(self, wanted, deadline);
    if (!done) {
      result = std::unexpected(done.error());
      break;
    }
  }
  if (--once[name] == 0) once.erase(name);
  co_return result;
}

// ---- the task that asks

MonotonicTime Cluster::State::update_due() const {
  bool wanted = full_wanted || !missing.empty();
  if (update_failures > 0 && wanted) return update_again_at;
  if (urgent || !missing.empty()) return {};
  if (full_wanted) return std::max(update_again_at, update_began + milliseconds(settings.retry_backoff_ms));
  if (succeeded_full == 0) return {std::numeric_limits<int64_t>::max()};
  return snapshot()->fetched + milliseconds(settings.metadata_max_age_ms);
}

runtime::Task<> Cluster::State::run_updates([[maybe_unused]] Self self) {
  while (!closing()) {
    MonotonicTime due = update_due();
    if (due > loop.clock().now()) {
      // A wait without end has no timer that could not be scheduled.
      MonotonicTime latest = loop.clock().now() + std::chrono::hours(1);
      co_await kicked.wait(std::min(due, latest));
      continue;
    }
    Update update = next_update();
    update_began = loop.clock().now();
    update_under_way = true;
    full_under_way = update.full;
    under_way = update.topics;
    uint64_t mine = ++sequence;
    auto done = co_await update_once(self, update);
    update_under_way = full_under_way = false;
    under_way.clear();
    MonotonicTime now = loop.clock().now();
    if (done) {
      succeeded = mine;
      if (update.full) succeeded_full = mine;
      update_error.reset();
      update_failures = 0;
      out_of_reach_since.reset();
    } else {
      failed = mine;
      update_error = done.error();
      full_wanted = full_wanted || update.full;
      if (!update.full) missing.insert(update.topics.begin(), update.topics.end());
      update_again_at =
          now + grown(settings.retry_backoff_ms, settings.retry_backoff_max_ms, update_failures++, world.random);
      if (!out_of_reach_since) out_of_reach_since = now;
      bool too_long = now - *out_of_reach_since >= milliseconds(settings.metadata_recovery_rebootstrap_trigger_ms);
      if (too_long && settings.rebootstrap && !use_bootstrap) rebootstrap("no broker has answered for too long");
      // Nobody waits for what cannot be: who asks next starts anew.
      if (!done.error().retriable) {
        full_wanted = urgent = false;
        missing.clear();
        update_failures = 0;
      }
    }
    update_done.wake_all();
  }
}

Cluster::State::Update Cluster::State::next_update() {
  Update update;
  update.full = full_wanted || missing.empty();
  if (update.full) {
    update.everything = everything;
    for (const auto& [name, create] : tracked) update.topics.insert(name);
    for (const auto& [name, count] : once) update.topics.insert(name);
    full_wanted = urgent = false;
  }
  update.topics.merge(missing);
  missing.clear();
  return update;
}

wire::MetadataRequest Cluster::State::request_for(const Update& update, int16_t version) const {
  wire::MetadataRequest request;
  if (update.everything) {
    // Version 0 says "all" with an empty list.
    if (version > 0) request.topics.reset();
  } else {
    for (const std::string& name : update.topics) request.topics->emplace_back().name = name;
  }
  bool may_create = !update.everything && std::ranges::all_of(update.topics, [this](const std::string& name) {
    auto found = tracked.find(name);
    return found != tracked.end() && found->second;
  });
  // Older versions always create.
  request.allow_auto_topic_creation = may_create || version < 4;
  return request;
}

runtime::Task<Result<>> Cluster::State::update_once(Self self, Update update) {
  MonotonicTime deadline = loop.clock().now() + milliseconds(settings.request_timeout_ms);
  auto peer = co_await to_any(self, deadline);
  if (!peer) co_return std::unexpected(peer.error());
  auto version = (*peer)->version_of<wire::MetadataRequest>();
  if (!version) co_return std::unexpected(version.error());
  wire::MetadataRequest request = request_for(update, *version);
  Duration timeout = milliseconds(settings.request_timeout_ms);
  auto answer = co_await (*peer)->call<wire::MetadataResponse>(request, *version, timeout);
  if (!answer) co_return std::unexpected(answer.error());
  auto taken = take_in(update, answer->message);
  if (!taken && taken.error().kind == Error::Kind::kBadAnswer) (*peer)->close(taken.error());
  co_return taken;
}

Result<> Cluster::State::take_in(const Update& update, const wire::MetadataResponse& answer) {
  if (answer.error_code == KafkaError::kRebootstrapRequired && settings.rebootstrap) {
    rebootstrap("a broker asked for it");
    Error error = broker_error(answer.error_code, "asking for metadata");
    error.retriable = true;
    return std::unexpected(error);
  }
  if (answer.error_code != KafkaError::kNone) {
    return std::unexpected(broker_error(answer.error_code, "asking for metadata"));
  }
  if (answer.brokers.empty()) {
    // A broker that has just started does not know the others yet, nor itself.
    return std::unexpected(Error{.kind = Error::Kind::kNotReachable,
                                 .code = ErrorCode::kBrokerNotAvailable,
                                 .message = "the broker that was asked knows no brokers yet",
                                 .retriable = true});
  }
  auto merged = merge_metadata(*snapshot(), answer, {.partial = !update.full, .now = loop.clock().now()});
  if (!merged) return std::unexpected(merged.error());
  use_bootstrap = false;
  for (const auto& [id, node] : (*merged)->brokers) {
    if (node.port > 0 && node.port <= std::numeric_limits<uint16_t>::max()) {
      connections.adopt(id, {.host = node.host, .port = static_cast<uint16_t>(node.port)});
    }
  }
  bool lacking = std::ranges::any_of((*merged)->topics, [this](const auto& topic) {
    return (everything || tracked.contains(topic.first)) && lacks_leader(*topic.second);
  });
  if (lacking) {
    full_wanted = true;
    update_again_at = loop.clock().now() +
                      grown(settings.retry_backoff_ms, settings.retry_backoff_max_ms, unfinished++, world.random);
  } else {
    unfinished = 0;
    update_again_at = {};
  }
  publish(*std::move(merged));
  return {};
}

void Cluster::State::rebootstrap(std::string_view why) {
  world.logger.warning(fmt::format("using bootstrap.servers again: {}", why));
  use_bootstrap = true;
  out_of_reach_since.reset();
  coordinators.clear();
  connections.start_over();
}

}  // namespace barnabas::client
