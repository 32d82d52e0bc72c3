#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/commands.h"
#include "config/explain.h"

namespace barnabas::cli {

int config_explain(const std::string& key) {
  fmt::print("{}", key.empty() ? config::list_accepted_without_effect() : config::explain(key));
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Barnabas: Kafka in one native binary", "barnabas");
  app.require_subcommand(1);
  std::function<int()> chosen;

  ServerArguments server;
  auto* serve = app.add_subcommand("server", "Start a node");
  serve->add_option("properties", server.properties_file,
                    "server.properties; without it one combined node on 127.0.0.1:9092");
  serve->add_option("--override", server.overrides, "key=value, over the file")->expected(1)->take_all();
  serve->callback([&] { chosen = [&] { return run_server(server); }; });

  auto* storage = app.add_subcommand("storage", "Format and look at log directories");
  storage->require_subcommand(1);
  StorageFormatArguments format;
  auto* format_command = storage->add_subcommand("format", "Format the log directories of a configuration");
  format_command->add_option("-c,--config", format.properties_file, "server.properties")->required();
  format_command->add_option("-t,--cluster-id", format.cluster_id, "the cluster's id")->required();
  format_command->add_option("-r,--release-version", format.release_version, "feature levels of a release, e.g. 4.3");
  format_command->add_option("-f,--feature", format.features, "NAME=LEVEL")->expected(1)->take_all();
  format_command->add_option("-S,--add-scram", format.scram, "a SCRAM credential")->expected(1)->take_all();
  format_command->add_option("-I,--initial-controllers", format.initial_controllers, "id@host:port:directory-id,...");
  format_command->add_flag("-s,--standalone", format.standalone, "this controller alone");
  format_command->add_flag("-N,--no-initial-controllers", format.no_initial_controllers, "join a quorum later");
  format_command->add_flag("-g,--ignore-formatted", format.ignore_formatted, "skip directories that are formatted");
  format_command->callback([&] { chosen = [&] { return storage_format(format); }; });
  std::string info_file;
  auto* info = storage->add_subcommand("info", "Say what the log directories of a configuration hold");
  info->add_option("-c,--config", info_file, "server.properties")->required();
  info->callback([&] { chosen = [&] { return storage_info(info_file); }; });
  auto* random_uuid = storage->add_subcommand("random-uuid", "Print a random uuid");
  random_uuid->callback([&] { chosen = [] { return storage_random_uuid(); }; });

  auto* config = app.add_subcommand("config", "About configuration keys");
  config->require_subcommand(1);
  std::string key;
  auto* explain = config->add_subcommand("explain", "What a key does; without a key: those accepted without effect");
  explain->add_option("key", key, "the key");
  explain->callback([&] { chosen = [&] { return config_explain(key); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return chosen();
}

}  // namespace barnabas::cli
