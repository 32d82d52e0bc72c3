#include "cli/profiles.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

namespace barnabas::cli {

std::filesystem::path profiles_file() {
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config && *config) {
    return std::filesystem::path(config) / "barnabas/config.properties";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home && *home ? home : ".") / ".config/barnabas/config.properties";
}

client::Result<Profiles> load_profiles() {
  Profiles profiles;
  std::error_code ignored;
  if (!std::filesystem::exists(profiles_file(), ignored)) return profiles;
  auto loaded = client::Config::load(profiles_file());
  if (!loaded) return std::unexpected(loaded.error());
  for (const auto& [key, value] : loaded->entries()) {
    if (key == "current") {
      profiles.current = value;
      continue;
    }
    size_t dot = key.find('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == key.size()) {
      return std::unexpected(
          client::Error{.kind = client::Error::Kind::kConfig,
                        .message = fmt::format("{}: '{}' is not PROFILE.KEY", profiles_file().string(), key)});
    }
    profiles.by_name[key.substr(0, dot)].set(key.substr(dot + 1), value);
  }
  return profiles;
}

client::Result<> save_profiles(const Profiles& profiles) {
  std::filesystem::path file = profiles_file();
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  std::filesystem::path fresh = file;
  fresh += ".new";
  mode_t before = umask(0077);  // it may hold passwords
  std::ofstream out(fresh, std::ios::trunc);
  umask(before);
  auto put = [&](const std::string& key, const std::string& value) {
    for (char c : key) out << (c == ' ' || c == ':' || c == '=' ? std::string{'\\', c} : std::string{c});
    out << "=";
    for (char c : value) out << (c == '\\' ? "\\\\" : c == '\n' ? "\\n" : std::string{c});
    out << "\n";
  };
  if (!profiles.current.empty()) put("current", profiles.current);
  for (const auto& [name, config] : profiles.by_name) {
    for (const auto& [key, value] : config.entries()) put(name + "." + key, value);
  }
  out.close();
  if (out) std::filesystem::rename(fresh, file, failed);
  if (!out || failed) {
    return std::unexpected(
        client::Error{.kind = client::Error::Kind::kIo, .message = fmt::format("{} cannot be written", file.string())});
  }
  return {};
}

client::Result<client::Config> profile_config(const std::optional<std::string>& name) {
  auto profiles = load_profiles();
  if (!profiles) return std::unexpected(profiles.error());
  const char* from_environment = std::getenv("BARNABAS_PROFILE");
  std::string wanted = name ? *name : from_environment ? from_environment : profiles->current;
  client::Config config;
  if (!wanted.empty()) {
    auto found = profiles->by_name.find(wanted);
    if (found == profiles->by_name.end()) {
      std::string known;
      for (const auto& [other, entries] : profiles->by_name) known += (known.empty() ? "" : ", ") + other;
      return std::unexpected(client::Error{
          .message = fmt::format("there is no profile '{}' ({})", wanted,
                                 known.empty() ? "none is defined: `barnabas profile add`" : "known: " + known)});
    }
    config = found->second;
  }
  if (const char* servers = std::getenv("BARNABAS_BOOTSTRAP_SERVER"); servers && *servers) {
    config.set("bootstrap.servers", servers);
  }
  return config;
}

}  // namespace barnabas::cli
