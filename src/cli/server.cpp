#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "cli/commands.h"
#include "cli/load_config.h"
#include "config/broker_config.h"
#include "host/host.h"
#include "host/run_task.h"
#include "node/node.h"
#include "runtime/completion.h"

namespace barnabas::cli {

namespace {

void announce(const node::Node::Facts& facts) {
  std::string dirs = fmt::format("{}", fmt::join(facts.log_dirs, ", "));
  if (facts.formatted) fmt::print(stderr, "formatted {} for a new cluster, {}\n", dirs, facts.cluster_id);
  fmt::print(stderr, "address      {}\n", fmt::join(facts.addresses, ", "));
  fmt::print(stderr, "cluster id   {}\n", facts.cluster_id);
  fmt::print(stderr, "data         {}\n", dirs);
  bool synced = facts.durability == "fsync";
  fmt::print(stderr, "durability   {}: {}\n", facts.durability,
             synced ? "a record is acknowledged, and visible, when it is on disk"
                    : "a record is acknowledged when it is in the page cache, as Kafka does");
  std::fflush(stderr);
}

runtime::Task<int> serve(host::Host* host, config::NodeConfig config, runtime::Completion<int> stop_signal) {
  auto started = co_await node::Node::start(host->world(), std::move(config));
  if (!started) {
    fmt::print(stderr, "barnabas: {}\n", started.error().message);
    co_return 1;
  }
  announce((*started)->facts());
  co_await stop_signal.wait(*host->world().loops[0]);
  co_await (*started)->stop();
  co_return 0;
}

}  // namespace

int run_server(const ServerArguments& arguments) {
  auto config = load_config(arguments.properties_file, arguments.overrides);
  if (!config) {
    fmt::print(stderr, "barnabas: {}\n", config.error().message);
    return 1;
  }
  for (const std::string& warning : config->warnings) fmt::print(stderr, "warning: {}\n", warning);
  int32_t loops = config::resolve_broker_config(config->layers).event_loops;
  // The node's loggers decide what is said; their levels may change while it runs.
  host::Host host({.loops = static_cast<size_t>(loops), .log_level = runtime::LogLevel::kTrace});
  runtime::Completion<int> stop_signal;
  // The second signal is somebody who does not want to wait.
  host.on_signal([stop_signal](int signal) {
    if (stop_signal.is_set()) std::_Exit(128 + signal);
    stop_signal.set(signal);
  });
  return host::run_task(host, serve(&host, std::move(*config), stop_signal));
}

}  // namespace barnabas::cli
