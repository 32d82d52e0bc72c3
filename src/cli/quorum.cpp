// The controllers' quorum: status, describe, add, remove.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "barnabas/admin.h"
#include "base/uuid.h"
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::QuorumDescription;

Value replica_ids(const std::vector<QuorumDescription::Replica>& replicas) {
  Value::List ids;
  for (const auto& replica : replicas) ids.emplace_back(replica.id);
  return ids;
}

int64_t end_of_leader(const QuorumDescription& quorum) {
  for (const auto& voter : quorum.voters) {
    if (voter.id == quorum.leader_id) return voter.log_end_offset;
  }
  return quorum.high_watermark;
}

int status(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto cluster = admin->describe_cluster();
  auto quorum = admin->describe_quorum().get();
  if (!quorum) return call.fail(quorum.error());
  int64_t end = end_of_leader(*quorum), most_lag = 0;
  Value most_behind;
  for (const auto& voter : quorum->voters) {
    if (voter.id != quorum->leader_id && voter.log_end_offset >= 0)
      most_lag = std::max(most_lag, end - voter.log_end_offset);
    if (voter.id == quorum->leader_id || !voter.last_caught_up) continue;
    auto leader = std::ranges::find(quorum->voters, quorum->leader_id, &QuorumDescription::Replica::id);
    if (leader == quorum->voters.end() || !leader->last_caught_up) continue;
    int64_t time = std::max<int64_t>(0, *leader->last_caught_up - *voter.last_caught_up);
    const auto* before = std::get_if<int64_t>(&most_behind.data());
    most_behind = before ? std::max(*before, time) : time;
  }
  Value about;
  auto known = cluster.get();
  about.add("cluster_id", known ? Value(known->cluster_id) : Value());
  about.add("leader_id", quorum->leader_id).add("leader_epoch", quorum->leader_epoch);
  about.add("high_watermark", quorum->high_watermark).add("max_follower_lag", most_lag);
  about.add("max_follower_lag_ms", most_behind);
  about.add("voters", replica_ids(quorum->voters)).add("observers", replica_ids(quorum->observers));
  call.out().print("quorum", about, std::to_string(quorum->leader_id));
  return kDone;
}

int describe(Invocation& call) {
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  auto quorum = admin->describe_quorum().get();
  if (!quorum) return call.fail(quorum.error());
  int64_t end = end_of_leader(*quorum);
  Table table{.kind = "replicas",
              .columns = {{.title = "NODE", .right = true},
                          {.title = "ROLE"},
                          {.title = "LOG-END", .right = true},
                          {.title = "LAG", .right = true},
                          {.title = "LAST-FETCH"},
                          {.title = "LAST-CAUGHT-UP"},
                          {.title = "DIRECTORY"},
                          {.title = "LISTENERS", .wide = true}},
              .rows = {}};
  auto time = [](const std::optional<client::Timestamp>& at) { return at ? Value(human_time(*at)) : Value(); };
  auto add = [&](const QuorumDescription::Replica& replica, std::string_view role) {
    Value::List listeners;
    if (auto node = quorum->nodes.find(replica.id); node != quorum->nodes.end()) {
      for (const auto& each : node->second) {
        listeners.emplace_back(fmt::format("{}://{}:{}", each.name, each.host, each.port));
      }
    }
    Value lag;
    if (replica.log_end_offset >= 0) lag = std::max<int64_t>(0, end - replica.log_end_offset);
    table.rows.push_back(
        {replica.id, role, replica.log_end_offset, lag, time(replica.last_fetch), time(replica.last_caught_up),
         replica.directory.is_zero() ? Value() : Value(replica.directory.to_string()), std::move(listeners)});
  };
  for (const auto& voter : quorum->voters) add(voter, voter.id == quorum->leader_id ? "leader" : "follower");
  for (const auto& observer : quorum->observers) add(observer, "observer");
  return call.print(table);
}

std::optional<int32_t> id_of(std::string_view text) {
  int32_t id = -1;
  auto [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), id);
  bool whole = failed == std::errc{} && stopped == text.data() + text.size();
  return whole && id >= 0 ? std::optional(id) : std::nullopt;
}

std::optional<client::Uuid128> directory_of(std::string_view text) {
  auto uuid = Uuid::parse(text);
  if (!uuid) return std::nullopt;
  return client::Uuid128{uuid->most, uuid->least};
}

// "2@host:9093:DIRECTORY".
std::optional<client::Voter> voter_of(std::string_view text, const std::string& listener) {
  size_t at = text.find('@'), last = text.rfind(':');
  if (at == std::string_view::npos || last == std::string_view::npos || last < at) return std::nullopt;
  size_t colon = text.rfind(':', last - 1);
  if (colon == std::string_view::npos || colon < at) return std::nullopt;
  auto id = id_of(text.substr(0, at));
  auto port = id_of(text.substr(colon + 1, last - colon - 1));
  auto directory = directory_of(text.substr(last + 1));
  std::string host(text.substr(at + 1, colon - at - 1));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!id || !port || *port < 1 || *port > 65535 || !directory || host.empty()) return std::nullopt;
  return client::Voter{.id = *id, .directory = *directory, .listeners = {{listener, host, *port}}};
}

int add(Invocation& call) {
  std::string text = call.value("voter");
  auto voter = voter_of(text, call.value("listener"));
  if (!voter) return call.usage(fmt::format("'{}' is no voter: want ID@HOST:PORT:DIRECTORY-ID", text));
  Value result;
  result.add("id", voter->id).add("directory", voter->directory.to_string()).add("dry_run", call.dry_run());
  std::string name = std::to_string(voter->id);
  if (!call.dry_run()) {
    client::Admin* admin = call.admin();
    if (!admin) return call.exit_code();
    auto added = admin->add_raft_voter(*voter).get();
    if (!added) return call.fail(added.error(), "voter " + name);
  }
  call.out().done(fmt::format("{} voter {}.", call.dry_run() ? "Would add" : "Added", name), result, name);
  return kDone;
}

int remove(Invocation& call) {
  auto id = id_of(call.value("id"));
  if (!id) return call.usage(fmt::format("'{}' is no node id", call.value("id")));
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  client::Uuid128 directory;
  if (auto text = call.optional("directory")) {
    auto parsed = directory_of(*text);
    if (!parsed) return call.usage(fmt::format("'{}' is no directory id", *text));
    directory = *parsed;
  } else {
    auto quorum = admin->describe_quorum().get();
    if (!quorum) return call.fail(quorum.error());
    auto voter = std::ranges::find(quorum->voters, *id, &QuorumDescription::Replica::id);
    if (voter == quorum->voters.end()) {
      return call.fail({.kind = client::Error::Kind::kBroker,
                        .code = client::ErrorCode::kVoterNotFound,
                        .message = fmt::format("node {} is no voter", *id)});
    }
    directory = voter->directory;
  }
  std::string name = std::to_string(*id);
  Value result;
  result.add("id", *id).add("directory", directory.to_string()).add("dry_run", call.dry_run());
  if (!call.dry_run()) {
    if (!call.confirm(fmt::format("Remove voter {} from the quorum?", name))) return call.exit_code();
    auto removed = admin->remove_raft_voter(*id, directory).get();
    if (!removed) return call.fail(removed.error(), "voter " + name);
  }
  call.out().done(fmt::format("{} voter {}.", call.dry_run() ? "Would remove" : "Removed", name), result, name);
  return kDone;
}

const Flag kDryRun{.name = "dry-run", .help = "say what would be done, and change nothing"};

}  // namespace

std::vector<Command> quorum_commands() {
  return {
      {.path = "quorum status",
       .aliases = {"info"},
       .summary = "Show who leads the controllers' quorum and how far the others are behind",
       .run = status},
      {.path = "quorum describe",
       .aliases = {"desc", "list", "ls"},
       .summary = "Show every node that follows the metadata log",
       .run = describe},
      {.path = "quorum add",
       .summary = "Make a controller a voter",
       .positionals = {{.name = "voter", .help = "ID@HOST:PORT:DIRECTORY-ID; `barnabas storage info` tells the id"}},
       .flags = {{.name = "listener",
                  .value = "NAME",
                  .help = "name of the listener at HOST:PORT",
                  .default_value = "CONTROLLER"},
                 kDryRun},
       .examples = {{"quorum add 2@host2:9093:JEXY6aqzQY-32P5TStzaFg", "a second controller"}},
       .run = add},
      {.path = "quorum remove",
       .aliases = {"rm"},
       .summary = "Take a voter out of the quorum",
       .positionals = {{.name = "id", .help = "the node's id"},
                       {.name = "directory", .help = "its directory id; looked up when absent", .required = false}},
       .flags = {kDryRun},
       .run = remove},
  };
}

}  // namespace barnabas::cli
