#include "config/resolved.h"

#include <algorithm>
#include <set>

#include "config/tables.h"
#include "config/topic_config.h"
#include "config/value.h"

namespace barnabas::config {
namespace {

bool wanted(const KeyFilter& names, std::string_view name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

// The names Kafka looks a broker value up under, in order of precedence: the units of one setting belong together, and
// a listener's own key falls back to the general one.
std::vector<std::string_view> family(std::string_view name) {
  for (const KeyInfo& row : broker_keys().rows()) {
    if (row.synonyms.empty()) continue;
    const bool other_unit = std::ranges::any_of(
        row.synonyms, [&](const KeySynonym& synonym) { return synonym.name == name && synonym.factor != 1; });
    if (row.name != name && !other_unit) continue;
    std::vector<std::string_view> names{row.name};
    for (const KeySynonym& synonym : row.synonyms) names.push_back(synonym.name);
    return names;
  }
  const std::string_view base = without_listener_prefix(name);
  if (base != name) return {name, base};
  return {name};
}

// Every layer that says something about `name`, strongest first; entries in front of the first one of `name` itself do
// not count for it.
std::vector<DescribedSynonym> broker_synonyms(const BrokerLayers& broker, std::string_view name, bool sensitive) {
  const std::vector<std::string_view> names = family(name);
  std::vector<DescribedSynonym> found;
  const auto add = [&](std::string_view key, std::string value, Source source) {
    found.push_back({.name = std::string(key),
                     .value = sensitive ? std::nullopt : std::optional(std::move(value)),
                     .source = source});
  };
  const std::pair<const Overrides*, Source> layers[] = {{&broker.this_broker, Source::kDynamicBroker},
                                                        {&broker.cluster_default, Source::kDynamicDefaultBroker},
                                                        {&broker.file, Source::kStaticBroker}};
  for (const auto& [layer, source] : layers)
    for (const std::string_view key : names)
      if (const auto entry = layer->find(key); entry != layer->end()) add(key, entry->second, source);
  for (const std::string_view key : names)
    if (const KeyInfo* row = broker_keys().find(key); row != nullptr && row->default_value)
      add(key, std::string(*row->default_value), Source::kDefault);
  const auto first = std::ranges::find(found, name, &DescribedSynonym::name);
  found.erase(found.begin(), first);
  return found;
}

Source strongest(const std::vector<DescribedSynonym>& synonyms) {
  return synonyms.empty() ? Source::kDefault : synonyms.front().source;
}

std::optional<std::string> default_of(const KeyInfo& key) {
  if (!key.default_value) return std::nullopt;
  return std::string(*key.default_value);
}

// Whether the file's value of `name` gave way to a dynamic one of the same setting in another unit.
bool is_outdone(const BrokerLayers& broker, std::string_view name) {
  const auto dynamic = [&](std::string_view key) {
    return broker.this_broker.contains(key) || broker.cluster_default.contains(key);
  };
  if (without_listener_prefix(name) != name || dynamic(name)) return false;
  return std::ranges::any_of(family(name), dynamic);
}

// Broker keys Kafka does not know come out as it shows them: without type, as sensitive and read-only. Our own keys are
// shown plainly.
DescribedConfig describe_broker_key(const BrokerLayers& broker, std::string_view name) {
  const KeyInfo* key = broker_keys().find(name);
  const KeyInfo* base = key != nullptr ? key : broker_keys().find(without_listener_prefix(name));
  if (base == nullptr) base = own_keys().find(name);
  const KeyInfo* rate = extra_keys().find(name);  // of replication: known only as something that can be changed
  if (rate != nullptr && rate->update_mode != UpdateMode::kReadOnly) key = base = rate;
  DescribedConfig row;
  row.name = std::string(name);
  row.type = base == nullptr ? KeyType::kUnknown : base->type;
  row.sensitive = base == nullptr || base->sensitive || base->type == KeyType::kPassword;
  row.read_only = key == nullptr || key->update_mode == UpdateMode::kReadOnly;
  row.synonyms = broker_synonyms(broker, name, row.sensitive);
  row.source = strongest(row.synonyms);
  if (base != nullptr && !row.sensitive) row.value = is_outdone(broker, name) ? default_of(*base) : broker.value(name);
  if (key != nullptr) row.documentation = key->documentation;
  return row;
}

bool is_set(const BrokerLayers& broker, std::string_view name) {
  return broker.this_broker.contains(name) || broker.cluster_default.contains(name) || broker.file.contains(name);
}

DescribedConfig describe_entity_key(const KeyInfo& key, std::optional<std::string> value) {
  DescribedConfig row;
  row.name = std::string(key.name);
  row.value = std::move(value);
  row.type = key.type;
  row.documentation = key.documentation;
  return row;
}

void put_override_first(DescribedConfig& row, Source source) {
  row.synonyms.insert(row.synonyms.begin(), {.name = row.name, .value = row.value, .source = source});
}

// The override if it checks out, else nothing.
std::optional<std::string> checked_override(const KeyInfo& key, const Overrides& overrides) {
  const auto entry = overrides.find(key.name);
  if (entry == overrides.end()) return std::nullopt;
  auto canonical = check_value(key, entry->second);
  if (!canonical) return std::nullopt;
  return *std::move(canonical);
}

}  // namespace

std::vector<DescribedConfig> describe_topic(const Overrides& topic, const BrokerLayers& broker,
                                            const KeyFilter& names) {
  std::vector<DescribedConfig> rows;
  for (const KeyInfo& key : topic_keys().rows()) {
    const bool set = topic.contains(key.name);
    if ((!key.described && !set) || !wanted(names, key.name)) continue;
    DescribedConfig row = describe_entity_key(key, topic_value(broker, topic, key.name));
    if (!key.synonyms.empty()) row.synonyms = broker_synonyms(broker, key.synonyms.front().name, false);
    if (set) put_override_first(row, Source::kTopic);
    row.source = strongest(row.synonyms);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<DescribedConfig> describe_broker(const BrokerLayers& broker, const KeyFilter& names) {
  std::vector<DescribedConfig> rows;
  for (const KeyInfo& key : broker_keys().rows())
    if ((key.described || is_set(broker, key.name)) && wanted(names, key.name))
      rows.push_back(describe_broker_key(broker, key.name));
  std::set<std::string_view> others;
  for (const Overrides* layer : {&broker.this_broker, &broker.cluster_default, &broker.file})
    for (const auto& [name, value] : *layer)
      if (broker_keys().find(name) == nullptr) others.insert(name);
  for (const std::string_view name : others)
    if (wanted(names, name)) rows.push_back(describe_broker_key(broker, name));
  return rows;
}

std::vector<DescribedConfig> describe_cluster_default(const BrokerLayers& broker, const KeyFilter& names) {
  BrokerLayers only;
  only.cluster_default = broker.cluster_default;
  std::vector<DescribedConfig> rows;
  for (const auto& [name, value] : broker.cluster_default) {
    if (!wanted(names, name)) continue;
    DescribedConfig row = describe_broker_key(only, name);
    std::erase_if(row.synonyms,
                  [](const DescribedSynonym& synonym) { return synonym.source != Source::kDynamicDefaultBroker; });
    row.source = strongest(row.synonyms);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<DescribedConfig> describe_group(const Overrides& group, const BrokerLayers& broker,
                                            const KeyFilter& names) {
  std::vector<DescribedConfig> rows;
  for (const KeyInfo& key : group_keys().rows()) {
    if (!wanted(names, key.name)) continue;
    std::optional<std::string> value = checked_override(key, group);
    if (!value && !key.synonyms.empty()) value = broker.value(key.synonyms.front().name);
    if (!value) value = default_of(key);
    DescribedConfig row = describe_entity_key(key, std::move(value));
    if (key.synonyms.empty())
      row.synonyms.push_back({.name = row.name, .value = default_of(key), .source = Source::kDefault});
    else
      row.synonyms = broker_synonyms(broker, key.synonyms.front().name, false);
    if (group.contains(key.name)) put_override_first(row, Source::kGroup);
    row.source = strongest(row.synonyms);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<DescribedConfig> describe_client_metrics(const Overrides& subscription, const KeyFilter& names) {
  std::vector<DescribedConfig> rows;
  for (const KeyInfo& key : client_metrics_keys().rows()) {
    if (!wanted(names, key.name)) continue;
    std::optional<std::string> value = checked_override(key, subscription);
    const bool set = value.has_value();
    DescribedConfig row = describe_entity_key(key, set ? std::move(value) : default_of(key));
    if (set) put_override_first(row, Source::kClientMetrics);
    row.source = strongest(row.synonyms);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace barnabas::config
