// Command: one row of the command table. The parser, --help, --help-json, man pages, shell completion and docs/cli.md
// are all made from these rows, so they cannot drift. A noun's commands stand in one file (topic.cpp:
// topic_commands()).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace barnabas::cli {

class Invocation;

// What a shell offers for a value.
enum class Completes { kNothing, kTopic, kGroup, kBroker, kConfigKey, kResource, kFile, kProfile, kCommand };

struct Flag {
  std::string_view name;        // "partitions", without dashes
  char letter = 0;              // 'p', or none
  std::string_view value = {};  // what stands for the value in help ("N"); empty: a switch
  std::string_view help = {};   // a phrase without a final stop
  bool repeated = false;        // may be given several times
  Completes completes = Completes::kNothing;
  std::vector<std::string_view> choices = {};  // the only values allowed, when there are any
  std::string_view default_value = {};         // told in help, and what value() gives when absent
};

struct Positional {
  std::string_view name;  // "topic"
  std::string_view help = {};
  bool required = true;
  bool repeated = false;  // takes all that are left; only the last one
  Completes completes = Completes::kNothing;
  std::vector<std::string_view> choices = {};  // the only values allowed, when there are any
};

struct Example {
  std::string_view command;  // without the leading "barnabas "
  std::string_view what;     // a phrase
};

struct Command {
  std::string_view path;                    // "topic create"
  std::vector<std::string_view> aliases{};  // of the last word: "ls"
  std::string_view summary;                 // a sentence without a final stop
  std::vector<Positional> positionals{};
  std::vector<Flag> flags{};
  std::vector<Example> examples{};
  bool connects = true;     // speaks to a cluster: gets the flags that say which
  bool hidden = false;      // not in help (completion's own)
  std::string_view text{};  // paragraphs for help and man page, after the flags
  int (*run)(Invocation& call) = nullptr;
};

// Nouns, in the order of help: "topic", "Topics: list, describe, create, …".
struct Noun {
  std::string_view name;
  std::string_view summary;
};
std::span<const Noun> nouns();

// The flags every command has (-o, --color, …), and those that say which cluster (--bootstrap-server, --profile, …).
std::span<const Flag> common_flags();
std::span<const Flag> connection_flags();

// All rows, nouns in the order of nouns().
const std::vector<Command>& commands();
// The rows that are shown of a noun, in the order of the table.
std::vector<const Command*> commands_of(std::string_view noun);
// The row with this path, aliases resolved; null when there is none.
const Command* find_command(std::span<const std::string_view> words);

// Each in its own file; commands() puts them together.
std::vector<Command> server_commands();
std::vector<Command> storage_commands();
std::vector<Command> topic_commands();
std::vector<Command> produce_commands();
std::vector<Command> consume_commands();
std::vector<Command> group_commands();
std::vector<Command> config_commands();
std::vector<Command> cluster_commands();
std::vector<Command> broker_commands();
std::vector<Command> quorum_commands();
std::vector<Command> partition_commands();
std::vector<Command> log_commands();
std::vector<Command> metadata_commands();
std::vector<Command> bench_commands();
std::vector<Command> top_commands();
std::vector<Command> profile_commands();
std::vector<Command> help_commands();  // completion, man, help, help-json

}  // namespace barnabas::cli
