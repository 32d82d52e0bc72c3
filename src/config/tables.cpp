#include "config/tables.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

namespace barnabas::config {
namespace {

constexpr std::string_view kListenerPrefix = "listener.name.";

// Keys that Kafka reads per SASL mechanism: listener.name.<listener>.<mechanism>.<key>.
constexpr std::string_view kPerMechanism[] = {
    "connections.max.reauth.ms",          "sasl.jaas.config", "sasl.login.callback.handler.class", "sasl.login.class",
    "sasl.server.callback.handler.class",
};

size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

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
  constexpr size_t kLongestName = 200;  // nothing longer is a typing error, and the comparison is quadratic
  if (name.size() > kLongestName) return "";
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, name.size() / 4) + 1;
  for (const KeyInfo& row : table.rows()) {
    const size_t distance = edit_distance(row.name, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = row.name;
    }
  }
  return best;
}

}  // namespace barnabas::config
