#include "cli/load_config.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace barnabas::cli {

namespace {

Result<std::string> read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::unexpected(os_error(errno, "cannot read " + path));
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Result<std::string> look_up(std::string_view provider, std::string_view path, std::string_view key) {
  std::string name(key);
  if (provider.ends_with("EnvVarConfigProvider")) {
    const char* value = std::getenv(name.c_str());
    if (!value) return fail(ErrorCode::kNotFound, "environment variable " + name + " is not set");
    return std::string(value);
  }
  if (provider.ends_with("DirectoryConfigProvider")) return read_text(std::string(path) + "/" + name);
  if (provider.ends_with("FileConfigProvider")) {
    TRY_ASSIGN(std::string text, read_text(std::string(path)));
    TRY_ASSIGN(auto properties, config::Properties::parse(text));
    const config::Property* property = properties.find(key);
    if (!property) return fail(ErrorCode::kNotFound, std::string(path) + " has no key " + name);
    return property->value;
  }
  return fail(ErrorCode::kUnsupported, "there is no configuration provider " + std::string(provider));
}

}  // namespace

Result<config::NodeConfig> load_config(const std::string& file, const std::vector<std::string>& overrides) {
  config::NodeConfigSource source{
      .file = std::nullopt,
      .file_name = file,
      .overrides = overrides,
      .default_data_dir = config::default_data_directory(environment("XDG_DATA_HOME"), environment("HOME")),
      .variables = look_up};
  if (!file.empty()) {
    TRY_ASSIGN(std::string text, read_text(file));
    TRY_ASSIGN(source.file, config::Properties::parse(text));
  }
  TRY_ASSIGN(auto config, config::load_node_config(source));
  auto absolute = [](std::string& path) { path = std::filesystem::absolute(path).lexically_normal().string(); };
  for (std::string& dir : config.log_dirs) absolute(dir);
  absolute(config.metadata_log_dir);
  return config;
}

}  // namespace barnabas::cli
