#include "config/tables.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "config/nearest.h"

namespace barnabas::config {
namespace {

constexpr std::string_view kListenerPrefix = "listener.name.";

// Keys that Kafka reads per SASL mechanism: listener.name.<listener>.<mechanism>.<key>.
constexpr std::string_view kPerMechanism[] = {
    "connections.max.reauth.ms",          "sasl.jaas.config", "sasl.login.callback.handler.class", "sasl.login.class",
    "sasl.server.callback.handler.class",
};

}  // namespace

const KeyInfo* KeyTable::find(std::string_view name) const {
  const auto row_name = [this](uint16_t index) { return rows_[index].name; };
  const auto place = std::ranges::lower_bound(by_name_, name, {}, row_name);
  if (place == by_name_.end() || rows_[*place].name != name) return nullptr;
  return &rows_[*place];
}

std::string_view without_listener_prefix(std::string_view name) {
  if (!name.starts_with(kListenerPrefix)) return name;
  const size_t dot = name.find('.', kListenerPrefix.size());
  if (dot == std::string_view::npos) return name;
  const std::string_view rest = name.substr(dot + 1);
  for (const std::string_view key : kPerMechanism)
    if (rest.ends_with(key)) return key;
  return rest;
}

std::string listener_key(std::string_view listener, std::string_view name) {
  std::string key(kListenerPrefix);
  for (const char c : listener) key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  key += '.';
  key += name;
  return key;
}

bool is_read_per_listener(std::string_view name) {
  constexpr std::string_view kKeys[] = {"connections.max.reauth.ms", "max.connection.creation.rate", "max.connections",
                                        "num.network.threads", "principal.builder.class"};
  return name.starts_with("ssl.") || name.starts_with("sasl.") || std::ranges::find(kKeys, name) != std::end(kKeys);
}

const KeyInfo* find_node_key(std::string_view name) {
  const std::string_view base = without_listener_prefix(name);
  if (const KeyInfo* key = broker_keys().find(base)) return key;
  if (base != name) return nullptr;
  if (const KeyInfo* key = own_keys().find(name)) return key;
  return extra_keys().find(name);
}

std::string_view nearest_key(const KeyTable& table, std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(table.rows().size());
  for (const KeyInfo& row : table.rows()) names.push_back(row.name);
  return nearest_word(names, name);
}

}  // namespace barnabas::config
