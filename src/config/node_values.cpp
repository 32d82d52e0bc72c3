#include "config/node_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "config/tables.h"
#include "config/value.h"

namespace barnabas::config {
namespace {

struct Entry {
  Property property;
  std::string origin;
};

// Kafka 3 knew them; 4 took them out with ZooKeeper and the old message formats.
constexpr std::array<std::string_view, 9> kGone = {
    "inter.broker.protocol.version", "log.message.format.version",       "log.message.timestamp.difference.max.ms",
    "reserved.broker.max.id",        "broker.id.generation.enable",      "control.plane.listener.name",
    "password.encoder.secret",       "metadata.log.dir.failure.timeout", "log.message.downconversion.enable",
};

bool is_gone(std::string_view key) {
  return key.starts_with("zookeeper.") || std::ranges::find(kGone, key) != kGone.end();
}

// Keys that belong to a plug-in or provider named by another key.
bool belongs_to_plug_in(std::string_view key) {
  constexpr std::string_view kPrefixes[] = {"config.providers.", "rsm.config.", "rlmm.config.", "remote.log.metadata.",
                                            "remote.log.storage."};
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return key.starts_with(prefix); });
}

std::vector<Entry> merge(const NodeConfigSource& source, const std::vector<Property>& overrides) {
  std::vector<Entry> entries;
  const auto overridden = [&](const std::string& key) {
    return std::ranges::find(overrides, key, &Property::key) != overrides.end();
  };
  if (source.file)
    for (const Property& property : source.file->entries())
      if (!overridden(property.key))
        entries.push_back({property, fmt::format("{}:{}", source.file_name, property.line)});
  for (const Property& property : overrides) entries.push_back({property, "--override"});
  return entries;
}

const Entry* find_entry(const std::vector<Entry>& entries, std::string_view key) {
  const auto place = std::ranges::find_if(entries, [&](const Entry& entry) { return entry.property.key == key; });
  return place == entries.end() ? nullptr : &*place;
}

// Replaces every ${provider:path:key} and ${provider:key} whose provider is listed in config.providers.
class Variables {
 public:
  Variables(const std::vector<Entry>& entries, const VariableLookup& lookup) : entries_(entries), lookup_(lookup) {
    if (const Entry* listed = find_entry(entries, "config.providers")) providers_ = split_list(listed->property.value);
  }

  Result<std::string> resolve(const std::string& text) const {
    std::string out;
    size_t at = 0;
    while (true) {
      const size_t start = text.find("${", at);
      const size_t end = start == std::string::npos ? start : text.find('}', start);
      if (end == std::string::npos) return out + text.substr(at);
      out += text.substr(at, start - at);
      const std::string inside = text.substr(start + 2, end - start - 2);
      const size_t colon = inside.find(':');
      const std::string provider = inside.substr(0, colon);
      if (colon == std::string::npos || std::ranges::find(providers_, provider) == providers_.end()) {
        out += text.substr(start, end + 1 - start);
      } else {
        TRY_ASSIGN(const std::string value, look_up(provider, inside.substr(colon + 1)));
        out += value;
      }
      at = end + 1;
    }
  }

 private:
  Result<std::string> look_up(const std::string& provider, const std::string& rest) const {
    const Entry* named = find_entry(entries_, fmt::format("config.providers.{}.class", provider));
    if (named == nullptr)
      return fail(ErrorCode::kInvalid, fmt::format("config.providers names {0}, but config.providers.{0}.class is not "
                                                   "set",
                                                   provider));
    if (!lookup_) return fail(ErrorCode::kUnsupported, "variables cannot be resolved here");
    const size_t colon = rest.rfind(':');
    const std::string_view path = colon == std::string::npos ? "" : std::string_view(rest).substr(0, colon);
    const std::string_view key = std::string_view(rest).substr(colon == std::string::npos ? 0 : colon + 1);
    return lookup_(trim(named->property.value), path, key);
  }

  const std::vector<Entry>& entries_;
  const VariableLookup& lookup_;
  std::vector<std::string> providers_;
};

std::string unknown_key_warning(const Entry& entry) {
  const std::string& key = entry.property.key;
  if (is_gone(key))
    return fmt::format("{}: {} was removed in Kafka 4.0 and is ignored; take the line out", entry.origin, key);
  const std::string_view base = without_listener_prefix(key);
  std::string_view near = nearest_key(broker_keys(), base);
  if (near.empty() || key.starts_with("barnabas.")) near = nearest_key(own_keys(), key);
  if (near.empty()) return fmt::format("{}: unknown key {} is ignored", entry.origin, key);
  return fmt::format("{}: unknown key {} is ignored; did you mean {}?", entry.origin, key, near);
}

// What would be right, to follow a sentence about what is wrong.
std::string advice(const KeyInfo& key) {
  const std::string valid = valid_values(key);
  std::string text = valid.empty() ? fmt::format(" ({} expected", type_name(key.type))
                                   : fmt::format(" ({} expected: {}", type_name(key.type), valid);
  if (key.default_value && !key.default_value->empty()) text += fmt::format("; default {}", *key.default_value);
  return text + ")";
}

}  // namespace

std::unexpected<Error> NodeValues::wrong(std::string_view key, std::string_view sentence) const {
  const auto origin = origins.find(key);
  if (origin == origins.end()) return fail(ErrorCode::kInvalid, std::string(sentence));
  return fail(ErrorCode::kInvalid, fmt::format("{}: {}", origin->second, sentence));
}

Result<NodeValues> read_node_values(const NodeConfigSource& source) {
  std::vector<Property> overrides;
  for (const std::string& argument : source.overrides) {
    TRY_ASSIGN(Property property, parse_override(argument));
    std::erase_if(overrides, [&](const Property& earlier) { return earlier.key == property.key; });
    overrides.push_back(std::move(property));
  }
  const std::vector<Entry> entries = merge(source, overrides);
  const Variables variables(entries, source.variables);

  NodeValues read;
  if (source.file)
    for (const Property& property : source.file->replaced())
      read.warnings.push_back(fmt::format("{}:{}: {} is set again below; the last one counts", source.file_name,
                                          property.line, property.key));
  for (const Entry& entry : entries) {
    const std::string& name = entry.property.key;
    read.origins[name] = entry.origin;
    auto text = variables.resolve(entry.property.value);
    if (!text) return read.wrong(name, fmt::format("{}: {}", name, text.error().message));
    const KeyInfo* key = find_node_key(name);
    if (key == nullptr) {
      if (!belongs_to_plug_in(name)) read.warnings.push_back(unknown_key_warning(entry));
      read.values[name] = *std::move(text);
      continue;
    }
    auto canonical = check_value(*key, *text);
    if (!canonical) return read.wrong(name, canonical.error().message + advice(*key));
    read.values[name] = *std::move(canonical);
    const std::string_view base = without_listener_prefix(name);
    if (base != name && !is_read_per_listener(base)) {
      read.warnings.push_back(
          fmt::format("{}: {} is ignored, as in Kafka: {} counts for the whole node", entry.origin, name, base));
      continue;
    }
    if (key->effect == Effect::kAccepted) read.keys_without_effect.push_back(name);
  }
  return read;
}

}  // namespace barnabas::config
