#include "barnabas/config.h"

#include <fmt/format.h>

#include "client/settings_file.h"
#include "config/properties.h"

namespace barnabas::client {

Result<Config> Config::parse(std::string_view text) {
  auto properties = config::Properties::parse(text);
  if (!properties)
    return std::unexpected(Error{.kind = Error::Kind::kConfig, .message = std::move(properties.error().message)});
  Config config;
  for (const config::Property& entry : properties->entries()) config.set(entry.key, entry.value);
  return config;
}

Result<Config> Config::load(const std::filesystem::path& file) {
  auto text = read_settings_file(file.string());
  if (!text) return std::unexpected(std::move(text).error());
  auto config = parse(*text);
  if (!config) config.error().message = fmt::format("{}: {}", file.string(), config.error().message);
  return config;
}

}  // namespace barnabas::client
