// Shims: Kafka's own command line tools under their names (kafka-topics, kafka-topics.sh), for scripts that call them:
// the same flags, the same text, the same exit codes. main() asks find_shim() for the name it was called by; each tool
// is a function in a file of its own. What our own commands do better is not their business.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/admin.h"
#include "cli/shims/options.h"

namespace barnabas::cli::shims {

using Arguments = std::span<const std::string_view>;

struct Shim {
  std::string_view name;  // "kafka-topics"
  int (*run)(Arguments arguments);
};
std::span<const Shim> shims();
// By a program's path, with or without ".sh"; null when it is none of the tools.
const Shim* find_shim(std::string_view program);

int topics(Arguments arguments);
int consumer_groups(Arguments arguments);
int configs(Arguments arguments);
int get_offsets(Arguments arguments);
int console_producer(Arguments arguments);
int console_consumer(Arguments arguments);
int storage(Arguments arguments);
int dump_log(Arguments arguments);

// To standard output and standard error. When nobody reads any more the words are lost, as they are with Kafka's tools,
// and output_closed() says so.
void say(std::string_view text);
void warn(std::string_view text);
bool output_closed();

// The version of Kafka whose tools these are.
inline constexpr std::string_view kKafkaVersion = "4.3.0";

// `message`, then the usage text, on standard error. Returns 1.
int usage_error(std::span<const Option> table, std::string_view message);
// --help, and nothing at all where `needs_arguments`: the exit code when the tool ends with it.
std::optional<int> help_or_version(const Options& options, std::span<const Option> table, std::string_view about);
// "Missing required argument "[topic]"", with usage; nothing when all are there.
std::optional<int> require(const Options& options, std::span<const Option> table,
                           std::initializer_list<std::string_view> names);
// "Option "[a]" can't be used with option "[b]"", with usage; nothing when `used` stands alone.
std::optional<int> refuse(const Options& options, std::span<const Option> table, std::string_view used,
                          std::span<const std::string_view> invalid);

// --bootstrap-server over --command-config.
client::Result<client::Config> config_of(const Options& options);
client::Result<client::Admin> admin_of(const Options& options);

// What Java says of an error: the broker's message, else Kafka's sentence for the code.
std::string java_message(const client::Error& error);
// "org.apache.kafka.common.config.ConfigException: …", without the hint that ours adds.
std::string java_config_message(const client::Error& error);
// "org.apache.kafka.common.errors.TopicExistsException"
std::string java_class(const client::Error& error);

// "a, b|c" as IncludeList has it: a regular expression of whole topic names. Null when it is none (the error is told).
class TopicFilter {
 public:
  static std::optional<TopicFilter> make(std::string_view pattern);
  bool allows(std::string_view topic, bool exclude_internal) const;

 private:
  struct Pattern;
  std::shared_ptr<const Pattern> pattern_;
};
bool is_internal(std::string_view topic);

std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

}  // namespace barnabas::cli::shims
