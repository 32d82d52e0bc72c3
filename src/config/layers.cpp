#include "config/layers.h"

#include "base/check.h"
#include "config/tables.h"
#include "config/value.h"

namespace barnabas::config {
namespace {

std::optional<std::string> checked(const Overrides& layer, const KeyInfo& key, std::string_view name) {
  const auto entry = layer.find(name);
  if (entry == layer.end()) return std::nullopt;
  auto canonical = check_value(key, entry->second);
  if (!canonical) return std::nullopt;
  return *std::move(canonical);
}

}  // namespace

std::optional<std::string> BrokerLayers::value(std::string_view name) const {
  const KeyInfo* key = find_node_key(name);
  CHECK(key != nullptr, "a value of a key that is in no table");
  for (const Overrides* layer : {&this_broker, &cluster_default, &file})
    if (auto found = checked(*layer, *key, name)) return found;
  if (!key->default_value) return std::nullopt;
  return std::string(*key->default_value);
}

std::optional<std::string> BrokerLayers::value_of_listener(std::string_view listener, std::string_view name) const {
  const KeyInfo* key = find_node_key(name);
  CHECK(key != nullptr, "a value of a key that is in no table");
  const std::string prefixed = listener_key(listener, name);
  for (const Overrides* layer : {&this_broker, &cluster_default, &file})
    if (auto found = checked(*layer, *key, prefixed)) return found;
  return value(name);
}

std::string BrokerLayers::text(std::string_view name) const {
  auto found = value(name);
  CHECK(found.has_value(), "a key that may be null needs value()");
  return *std::move(found);
}

int64_t BrokerLayers::number(std::string_view name) const {
  const std::optional<int64_t> parsed = parse_long(text(name));
  CHECK(parsed.has_value(), "number() of a key that is no number");
  return *parsed;
}

double BrokerLayers::real(std::string_view name) const {
  const std::optional<double> parsed = parse_double(text(name));
  CHECK(parsed.has_value(), "real() of a key that is no number");
  return *parsed;
}

bool BrokerLayers::boolean(std::string_view name) const {
  return is_true(text(name));
}

std::vector<std::string> BrokerLayers::list(std::string_view name) const {
  return split_list(text(name));
}

int64_t BrokerLayers::number_with_synonyms(std::string_view name) const {
  if (value(name)) return number(name);
  const KeyInfo* key = find_node_key(name);
  for (const KeySynonym& synonym : key->synonyms)
    if (value(synonym.name)) return number(synonym.name) * synonym.factor;
  CHECK(false, "a key without a value and without a synonym that has one");
}

}  // namespace barnabas::config
