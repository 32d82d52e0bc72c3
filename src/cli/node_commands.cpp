// Rows of the commands that run or prepare a node.
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/invocation.h"

namespace barnabas::cli {

namespace {

int server(Invocation& call) {
  return run_server({.properties_file = call.value("properties"), .overrides = call.values("override")});
}

int format(Invocation& call) {
  return storage_format({.properties_file = call.value("config"),
                         .cluster_id = call.value("cluster-id"),
                         .release_version = call.value("release-version"),
                         .features = call.values("feature"),
                         .scram = call.values("add-scram"),
                         .initial_controllers = call.value("initial-controllers"),
                         .standalone = call.has("standalone"),
                         .no_initial_controllers = call.has("no-initial-controllers"),
                         .ignore_formatted = call.has("ignore-formatted")});
}

int info(Invocation& call) {
  return storage_info(call.value("config"));
}

int random_uuid(Invocation&) {
  return storage_random_uuid();
}

const Flag kConfig{.name = "config",
                   .letter = 'c',
                   .value = "FILE",
                   .help = "server.properties (required)",
                   .completes = Completes::kFile};

int with_config(Invocation& call, int (*run)(Invocation&)) {
  return call.has("config") ? run(call) : call.usage("--config is missing");
}

}  // namespace

std::vector<Command> server_commands() {
  return {{.path = "server",
           .summary = "Start a node",
           .positionals = {{.name = "properties",
                            .help = "server.properties; without it one combined node on 127.0.0.1:9092",
                            .required = false,
                            .completes = Completes::kFile}},
           .flags = {{.name = "override", .value = "KEY=VALUE", .help = "over what the file says", .repeated = true}},
           .examples = {{"server", "a durable node for development"},
                        {"server config/server.properties --override log.dirs=/data", "as kafka-server-start"}},
           .connects = false,
           .run = server}};
}

std::vector<Command> storage_commands() {
  return {
      {.path = "storage format",
       .summary = "Format the log directories of a configuration",
       .flags =
           {kConfig,
            {.name = "cluster-id", .letter = 't', .value = "UUID", .help = "the cluster's id (required)"},
            {.name = "release-version",
             .letter = 'r',
             .value = "RELEASE",
             .help = "feature levels of a release, as 4.3"},
            {.name = "feature", .letter = 'f', .value = "NAME=LEVEL", .help = "level of a feature", .repeated = true},
            {.name = "add-scram", .letter = 'S', .value = "CREDENTIAL", .help = "a SCRAM credential", .repeated = true},
            {.name = "initial-controllers", .letter = 'I', .value = "LIST", .help = "id@host:port:directory-id,…"},
            {.name = "standalone", .letter = 's', .help = "this controller alone"},
            {.name = "no-initial-controllers", .letter = 'N', .help = "join a quorum later"},
            {.name = "ignore-formatted", .letter = 'g', .help = "skip directories that are formatted"}},
       .connects = false,
       .run =
           [](Invocation& call) {
             if (call.has("config") && !call.has("cluster-id")) return call.usage("--cluster-id is missing");
             return with_config(call, format);
           }},
      {.path = "storage info",
       .summary = "Say what the log directories of a configuration hold",
       .flags = {kConfig},
       .connects = false,
       .run = [](Invocation& call) { return with_config(call, info); }},
      {.path = "storage random-uuid", .summary = "Print a random uuid", .connects = false, .run = random_uuid},
  };
}

}  // namespace barnabas::cli
