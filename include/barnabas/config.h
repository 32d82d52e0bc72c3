// Config: configuration by Kafka's own (Java) names, as strings: "bootstrap.servers", "linger.ms". A client.properties,
// producer.properties or consumer.properties of the Java client is taken unchanged. Nothing is checked until a client
// is made of it: then a wrong name or value is an Error of kind kConfig that names the nearest right one. Keys that
// belong to another kind of client (acks for a consumer) are allowed and ignored, so one file can serve several.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "barnabas/error.h"

namespace barnabas::client {

class Config {
 public:
  Config() = default;
  Config(std::initializer_list<std::pair<const std::string, std::string>> entries) : entries_(entries) {}

  // Reads a Java properties file. kIo when it cannot be read; kConfig with the line number when a line is malformed.
  static Result<Config> load(const std::filesystem::path& file);
  // The same from text.
  static Result<Config> parse(std::string_view text);

  Config& set(std::string key, std::string value) {
    entries_.insert_or_assign(std::move(key), std::move(value));
    return *this;
  }
  // Takes over what `other` says; it wins.
  Config& merge(const Config& other) {
    for (const auto& [key, value] : other.entries_) entries_.insert_or_assign(key, value);
    return *this;
  }
  const std::string* find(std::string_view key) const {
    auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, std::string, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, std::string, std::less<>> entries_;
};

// One key the library knows, for tools that explain configuration.
struct ConfigKey {
  std::string_view name;
  std::string_view type;           // Kafka's words: string, int, long, list, password, …
  std::string_view default_value;  // "required" when there is none
  std::string_view doc;
  bool acts = true;  // false: taken for the sake of existing files, without effect here
};
enum class ClientKind { kProducer, kConsumer, kShareConsumer, kAdmin };
std::vector<ConfigKey> config_keys(ClientKind kind);

}  // namespace barnabas::client
