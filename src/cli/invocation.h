// Invocation: one call of a command: its arguments, where its output goes, and which cluster it means. Exit codes: 0
// done, 1 failed (also when one of several things failed), 2 wrong usage, 3 timed out or not reachable.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/error.h"
#include "cli/command.h"
#include "cli/output.h"

namespace barnabas::client {
class Admin;
}

namespace barnabas::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotReachable = 3;

class Invocation {
 public:
  // Values by flag or positional name; switches have an empty value.
  using Values = std::map<std::string, std::vector<std::string>, std::less<>>;
  Invocation(const Command& command, Values values);
  ~Invocation();

  const Command& command() const { return command_; }
  bool has(std::string_view name) const;
  // The (last) value of a flag or positional, its default, or "".
  std::string value(std::string_view name) const;
  std::optional<std::string> optional(std::string_view name) const;
  std::vector<std::string> values(std::string_view name) const;
  // The value as a number in [min, max]; kInvalidArgument says what would be right.
  client::Result<int64_t> number(std::string_view name, int64_t min, int64_t max) const;
  // "500ms", "30s", "5m", "2h", "7d", or milliseconds.
  client::Result<int64_t> duration_ms(std::string_view name) const;

  Output& out() { return *output_; }
  bool dry_run() const { return has("dry-run"); }
  // Asks a person at the terminal, unless -y was given; without a terminal the answer is no, and says how to say yes.
  bool confirm(const std::string& question);

  // Which cluster: -X over --command-config over --bootstrap-server over the profile over BARNABAS_* over
  // 127.0.0.1:9092.
  client::Result<client::Config> client_config();
  // An admin client of that cluster, made at the first call; valid as long as this. Null after an error was told.
  client::Admin* admin();

  // Tells the error on standard error, in one sentence with Kafka's name for it and the next step where one is known;
  // returns the exit code. `what` begins the sentence: "topic orders".
  int fail(const client::Error& error, std::string_view what = {});
  int usage(const std::string& message);
  // One thing of several failed: told now, and the exit code is at least 1.
  void item_failed(const client::Error& error, std::string_view what);
  int exit_code() const { return exit_code_; }
  // Prints the table and returns the exit code. When all failed a person gets no empty table after the sentences.
  int print(const Table& table);

 private:
  const Command& command_;
  Values values_;
  std::unique_ptr<Output> output_;
  std::unique_ptr<client::Admin> admin_;
  int exit_code_ = kDone;
};

// The next step for an error, or "": "Use `barnabas topic alter`." Shared by all commands.
std::string next_step(const client::Error& error, const Command& command);

}  // namespace barnabas::cli
