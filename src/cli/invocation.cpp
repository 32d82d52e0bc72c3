#include "cli/invocation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <iostream>

#include "barnabas/admin.h"
#include "cli/profiles.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

Format format_of(std::string_view name) {
  if (name == "wide") return Format::kWide;
  if (name == "json") return Format::kJson;
  if (name == "yaml") return Format::kYaml;
  if (name == "csv") return Format::kCsv;
  return name == "name" ? Format::kName : Format::kTable;
}

bool wants_color(const std::string& choice) {
  if (choice == "always") return true;
  const char* no_color = std::getenv("NO_COLOR");  // set and not empty, as https://no-color.org has it
  if (choice == "never" || (no_color != nullptr && *no_color != 0)) return false;
  return stdout_is_terminal();
}

client::Error wrong_value(std::string_view flag, std::string_view value, std::string_view want) {
  return {.message = fmt::format("--{} {}: want {}", flag, value, want)};
}

}  // namespace

Invocation::Invocation(const Command& command, Values values) : command_(command), values_(std::move(values)) {
  output_ = std::make_unique<Output>(format_of(value("output")), wants_color(value("color")));
}

Invocation::~Invocation() = default;

bool Invocation::has(std::string_view name) const {
  return values_.contains(name);
}

std::string Invocation::value(std::string_view name) const {
  return optional(name).value_or("");
}

std::optional<std::string> Invocation::optional(std::string_view name) const {
  auto found = values_.find(name);
  if (found != values_.end() && !found->second.empty()) return found->second.back();
  for (const Flag& flag : command_.flags) {
    if (flag.name == name && !flag.default_value.empty()) return std::string(flag.default_value);
  }
  return std::nullopt;
}

std::vector<std::string> Invocation::values(std::string_view name) const {
  auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

client::Result<int64_t> Invocation::number(std::string_view name, int64_t min, int64_t max) const {
  std::string text = value(name);
  int64_t parsed = 0;
  const char* end = text.data() + text.size();
  auto [stopped, failed] = std::from_chars(text.data(), end, parsed);
  if (failed != std::errc{} || stopped != end || text.empty() || parsed < min || parsed > max) {
    return std::unexpected(wrong_value(name, text, fmt::format("a number from {} to {}", min, max)));
  }
  return parsed;
}

client::Result<int64_t> Invocation::duration_ms(std::string_view name) const {
  std::string text = value(name);
  auto parsed = parse_duration_ms(text);
  if (!parsed) return std::unexpected(wrong_value(name, text, "a time such as 500ms, 30s, 5m, 2h or 7d"));
  return *parsed;
}

bool Invocation::confirm(const std::string& question) {
  if (has("yes")) return true;
  if (isatty(STDIN_FILENO) != 1 || !stderr_is_terminal()) {
    output_->note(fmt::format("barnabas: {} Not done: there is no terminal to ask at; -y says yes.", question));
    exit_code_ = kUsage;
    return false;
  }
  fmt::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  bool yes = answer == "y" || answer == "Y" || answer == "yes";
  if (!yes) exit_code_ = kFailed;
  return yes;
}

client::Result<client::Config> Invocation::client_config() {
  auto profile = profile_config(optional("profile"));
  if (!profile) return profile;
  client::Config config{{"bootstrap.servers", "127.0.0.1:9092"}, {"client.id", "barnabas"}};
  config.merge(*profile);
  if (auto file = optional("command-config")) {
    auto loaded = client::Config::load(*file);
    if (!loaded) return loaded;
    config.merge(*loaded);
  }
  if (auto servers = optional("bootstrap-server")) config.set("bootstrap.servers", *servers);
  for (const std::string& setting : values("X")) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return std::unexpected(client::Error{.message = fmt::format("-X {}: want key=value", setting)});
    }
    config.set(setting.substr(0, equals), setting.substr(equals + 1));
  }
  if (has("timeout")) {
    auto timeout = duration_ms("timeout");
    if (!timeout) return std::unexpected(timeout.error());
    config.set("default.api.timeout.ms", std::to_string(*timeout));
    if (*timeout < 30000) config.set("request.timeout.ms", std::to_string(*timeout));
  }
  return config;
}

client::Admin* Invocation::admin() {
  if (admin_) return admin_.get();
  auto config = client_config();
  if (!config) {
    exit_code_ = fail(config.error());
    return nullptr;
  }
  auto made = client::Admin::create(*config);
  if (!made) {
    exit_code_ = fail(made.error());
    return nullptr;
  }
  admin_ = std::make_unique<client::Admin>(*std::move(made));
  return admin_.get();
}

int Invocation::fail(const client::Error& error, std::string_view what) {
  item_failed(error, what);
  return exit_code_;
}

void Invocation::item_failed(const client::Error& error, std::string_view what) {
  using Kind = client::Error::Kind;
  std::string sentence;
  if (!what.empty() && !error.message.starts_with(what)) sentence.append(what).append(": ");
  sentence += error.message.empty() ? std::string(error.name()) : error.message;
  // Kafka's own sentence for this is of servers that do not host; a person typed a wrong name.
  size_t colon = sentence.find(": ");
  if (error.code == client::ErrorCode::kUnknownTopicOrPartition && sentence.starts_with("topic ") &&
      colon != std::string::npos) {
    sentence = "there is no " + sentence.substr(0, colon);
  }
  while (sentence.ends_with('.')) sentence.pop_back();
  sentence.insert(0, "barnabas: ");
  if (error.code != client::ErrorCode::kNone)
    sentence += fmt::format(" ({}, {})", error.name(), static_cast<int>(error.code));
  std::string step = next_step(error, command_);
  std::string_view stop = sentence.ends_with('?') ? "" : ".";
  output_->note(step.empty() ? fmt::format("{}{}", sentence, stop) : fmt::format("{}{} {}", sentence, stop, step));
  int code = kFailed;
  if (error.kind == Kind::kTimedOut || error.kind == Kind::kNotReachable) code = kNotReachable;
  if (error.kind == Kind::kInvalidArgument || error.kind == Kind::kConfig) code = kUsage;
  if (exit_code_ == kDone) exit_code_ = code;
}

int Invocation::print(const Table& table) {
  if (!table.rows.empty() || exit_code_ == kDone || output_->for_programs()) output_->print(table);
  return exit_code_;
}

int Invocation::usage(const std::string& message) {
  std::string_view stop = message.ends_with('?') ? "" : ".";
  output_->note(fmt::format("barnabas: {}{} See `barnabas {} --help`.", message, stop, command_.path));
  exit_code_ = kUsage;
  return kUsage;
}

std::string next_step(const client::Error& error, const Command& command) {
  using client::ErrorCode;
  using Kind = client::Error::Kind;
  switch (error.code) {
    case ErrorCode::kTopicAlreadyExists:
      return command.path == "topic create" ? "Use `barnabas topic alter` to change it." : "";
    case ErrorCode::kUnknownTopicOrPartition:
      return "`barnabas topic list` shows the topics there are.";
    case ErrorCode::kGroupIdNotFound:
      return "`barnabas group list` shows the groups there are.";
    case ErrorCode::kNonEmptyGroup:
      return "Stop its members first; `barnabas group members` shows them.";
    case ErrorCode::kBrokerIdNotRegistered:
      return "`barnabas broker list` shows the brokers there are.";
    case ErrorCode::kInvalidReplicationFactor:
      return "`barnabas broker list` shows how many brokers there are.";
    case ErrorCode::kTopicAuthorizationFailed:
    case ErrorCode::kGroupAuthorizationFailed:
    case ErrorCode::kClusterAuthorizationFailed:
      return "Ask for the permission, or use another user (--command-config).";
    default:
      break;
  }
  if (error.kind == Kind::kBadAnswer && command.connects) return "Is it a Kafka listener's port?";
  if (error.kind == Kind::kNotReachable || error.kind == Kind::kTimedOut) {
    return command.connects ? "Is the broker running there? --bootstrap-server says which one is meant." : "";
  }
  return "";
}

}  // namespace barnabas::cli
