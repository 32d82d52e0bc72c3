#include <algorithm>

#include "cli/command.h"

namespace barnabas::cli {

namespace {

constexpr Noun kNouns[] = {
    {"server", "Start a node"},
    {"storage", "Format and look at log directories"},
    {"topic", "Topics and their records"},
    {"produce", "Send records to a topic"},
    {"consume", "Read records of topics"},
    {"group", "Groups, their members, offsets and lag"},
    {"config", "Configuration of topics, brokers, groups and this program"},
    {"cluster", "The cluster as a whole"},
    {"broker", "Brokers"},
    {"quorum", "The controllers' quorum"},
    {"partition", "Partitions: where they are, who leads"},
    {"log", "Segments on disk, without a broker"},
    {"metadata", "The metadata log on disk, without a broker"},
    {"bench", "Measure a cluster"},
    {"top", "Watch a cluster"},
    {"profile", "Named clusters"},
    {"completion", "Completion for bash, zsh and fish"},
    {"man", "Manual pages"},
    {"help", "Help on a command"},
    {"help-json", "All commands, as JSON"},
};

const Flag kCommon[] = {
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .help = "how to print: table, wide, json, yaml, csv or name",
     .choices = {"table", "wide", "json", "yaml", "csv", "name"},
     .default_value = "table"},
    {.name = "color", .value = "WHEN", .help = "auto, always or never", .choices = {"auto", "always", "never"}},
    {.name = "yes", .letter = 'y', .help = "do not ask"},
    {.name = "help", .letter = 'h', .help = "this text"},
};

const Flag kConnection[] = {
    {.name = "bootstrap-server",
     .letter = 'b',
     .value = "HOST:PORT,…",
     .help = "brokers to begin with; the profile's, else 127.0.0.1:9092"},
    {.name = "profile", .value = "NAME", .help = "a named cluster", .completes = Completes::kProfile},
    {.name = "command-config",
     .value = "FILE",
     .help = "a client.properties of Kafka's Java clients",
     .completes = Completes::kFile},
    {.name = "X", .letter = 'X', .value = "KEY=VALUE", .help = "a key of the client's configuration", .repeated = true},
    {.name = "timeout", .value = "TIME", .help = "how long to try: 500ms, 30s, 5m"},
};

std::vector<Command> assemble() {
  std::vector<Command> all;
  for (auto rows :
       {server_commands, storage_commands, topic_commands, produce_commands, consume_commands, group_commands,
        config_commands, cluster_commands, broker_commands, quorum_commands, partition_commands, log_commands,
        metadata_commands, bench_commands, top_commands, profile_commands, help_commands}) {
    std::ranges::move(rows(), std::back_inserter(all));
  }
  return all;
}

}  // namespace

std::span<const Noun> nouns() {
  return kNouns;
}
std::span<const Flag> common_flags() {
  return kCommon;
}
std::span<const Flag> connection_flags() {
  return kConnection;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> all = assemble();
  return all;
}

std::vector<const Command*> commands_of(std::string_view noun) {
  std::vector<const Command*> found;
  for (const Command& command : commands()) {
    if (!command.hidden && command.path.substr(0, command.path.find(' ')) == noun) found.push_back(&command);
  }
  return found;
}

const Command* find_command(std::span<const std::string_view> words) {
  for (const Command& command : commands()) {
    size_t space = command.path.find(' ');
    std::string_view noun = command.path.substr(0, space);
    if (space == std::string_view::npos) {
      if (words.size() == 1 && words[0] == noun) return &command;
      continue;
    }
    if (words.size() != 2 || words[0] != noun) continue;
    std::string_view verb = command.path.substr(space + 1);
    if (words[1] == verb || std::ranges::find(command.aliases, words[1]) != command.aliases.end()) return &command;
  }
  return nullptr;
}

}  // namespace barnabas::cli
