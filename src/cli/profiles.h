// Profiles: named sets of client configuration, so that a cluster needs to be described once. They are kept in
// $XDG_CONFIG_HOME/barnabas/config.properties (else ~/.config/…): "current=NAME", and "NAME.key=value" for each key.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "barnabas/config.h"

namespace barnabas::cli {

struct Profiles {
  std::string current;  // "" when none is chosen
  std::map<std::string, client::Config> by_name;
};

std::filesystem::path profiles_file();
// None when the file does not exist.
client::Result<Profiles> load_profiles();
client::Result<> save_profiles(const Profiles& profiles);

// The configuration of the profile named, else of BARNABAS_PROFILE, else of the current one; with
// BARNABAS_BOOTSTRAP_SERVER over it. An unknown name is an error that lists the known ones.
client::Result<client::Config> profile_config(const std::optional<std::string>& name);

}  // namespace barnabas::cli
