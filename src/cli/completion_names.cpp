// Where completion gets names from: the cluster within a short time, or what it said a moment ago.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "barnabas/admin.h"
#include "cli/completion.h"
#include "cli/profiles.h"

namespace barnabas::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBudget{300};
constexpr std::chrono::seconds kFresh{10};
constexpr std::chrono::hours kUsable{24};  // when the cluster does not answer
constexpr size_t kNamesMax = 2000;

std::filesystem::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    return std::filesystem::path(cache) / "barnabas";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home && *home ? home : "/nonexistent") / ".cache/barnabas";
}

// Named after the cluster and the user as far as the configuration tells them, and the kind of names.
std::filesystem::path cache_file(const client::Config& config, std::string_view kind) {
  std::string all(kind);
  for (const auto& [key, value] : config.entries()) all += "\n" + key + "=" + value;
  return cache_folder() / fmt::format("{}-{:016x}", kind, std::hash<std::string>{}(all));
}

std::optional<std::vector<std::string>> read_cache(const std::filesystem::path& file, std::chrono::seconds age) {
  std::error_code failed;
  auto written = std::filesystem::last_write_time(file, failed);
  if (failed || std::filesystem::file_time_type::clock::now() - written > age) return std::nullopt;
  std::ifstream in(file);
  std::vector<std::string> names;
  for (std::string line; std::getline(in, line);) names.push_back(std::move(line));
  return names;
}

void write_cache(const std::filesystem::path& file, const std::vector<std::string>& names) {
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  std::filesystem::path fresh = file;
  fresh += fmt::format(".{}", getpid());
  mode_t before = umask(0077);  // names of topics are the cluster's own business
  std::ofstream out(fresh, std::ios::trunc);
  umask(before);
  for (const auto& name : names) out << name << "\n";
  out.close();
  if (out) std::filesystem::rename(fresh, file, failed);
}

// Asks the cluster; nothing when it did not answer in time.
std::optional<std::vector<std::string>> ask(Completes kind, client::Admin& admin, Clock::time_point deadline) {
  std::vector<std::string> names;
  auto left = [&] { return deadline - Clock::now(); };
  switch (kind) {
    case Completes::kTopic: {
      auto listed = admin.list_topics().get_for(left());
      if (!listed || !*listed) return std::nullopt;
      for (const auto& topic : **listed) names.push_back(topic.name);
      break;
    }
    case Completes::kGroup: {
      auto listed = admin.list_groups().get_for(left());
      if (!listed || !*listed) return std::nullopt;
      for (const auto& group : **listed) names.push_back(group.id);
      break;
    }
    case Completes::kBroker: {
      auto cluster = admin.describe_cluster().get_for(left());
      if (!cluster || !*cluster) return std::nullopt;
      for (const auto& node : (*cluster)->nodes) names.push_back(std::to_string(node.id));
      break;
    }
    default:
      break;
  }
  if (names.size() > kNamesMax) names.resize(kNamesMax);
  return names;
}

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  if (auto profiles = load_profiles()) {
    for (const auto& [name, config] : profiles->by_name) names.push_back(name);
  }
  return names;
}

std::vector<std::string> resource_names(const Invocation::Values& connection) {
  std::vector<std::string> names;
  for (const auto& topic : names_of_cluster(Completes::kTopic, connection)) names.push_back("topic/" + topic);
  for (const auto& broker : names_of_cluster(Completes::kBroker, connection)) names.push_back("broker/" + broker);
  for (const auto& group : names_of_cluster(Completes::kGroup, connection)) names.push_back("group/" + group);
  names.emplace_back("broker");
  return names;
}

std::string_view kind_name(Completes kind) {
  return kind == Completes::kTopic ? "topics" : kind == Completes::kGroup ? "groups" : "brokers";
}

}  // namespace

std::vector<std::string> names_of_cluster(Completes kind, const Invocation::Values& connection) {
  if (kind == Completes::kProfile) return profile_names();
  if (kind == Completes::kResource) return resource_names(connection);
  if (kind != Completes::kTopic && kind != Completes::kGroup && kind != Completes::kBroker) return {};
  static const Command kAsking{.path = "complete", .summary = ""};
  static const auto kDeadline = Clock::now() + kBudget;  // of the whole program
  auto config = Invocation(kAsking, connection).client_config();
  if (!config) return {};
  auto file = cache_file(*config, kind_name(kind));
  if (auto cached = read_cache(file, kFresh)) return *cached;
  config->set("default.api.timeout.ms", std::to_string(kBudget.count()));
  config->set("request.timeout.ms", std::to_string(kBudget.count()));
  auto admin = client::Admin::create(*config);
  if (!admin) return {};
  // Not destroyed: the program ends without waiting for a broker that does not answer.
  auto* asked = new client::Admin(*std::move(admin));
  if (auto names = ask(kind, *asked, kDeadline)) {
    write_cache(file, *names);
    return *names;
  }
  return read_cache(file, kUsable).value_or(std::vector<std::string>{});
}

}  // namespace barnabas::cli
