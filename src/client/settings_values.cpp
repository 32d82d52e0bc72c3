#include "client/settings_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "base/check.h"
#include "config/client_tables.h"
#include "config/nearest.h"
#include "config/value.h"

namespace barnabas::client {
namespace {

using config::KeyInfo;
using config::KeyTable;

std::array<const KeyTable*, 2> tables_of(ClientKind kind) {
  switch (kind) {
    case ClientKind::kProducer:
      return {&config::client_keys(), &config::producer_keys()};
    case ClientKind::kConsumer:
    case ClientKind::kShareConsumer:
      return {&config::client_keys(), &config::consumer_keys()};
    case ClientKind::kAdmin:
      break;
  }
  return {&config::client_keys(), &config::admin_keys()};
}

const KeyInfo* find_key(ClientKind kind, std::string_view name) {
  for (const KeyTable* table : tables_of(kind))
    if (const KeyInfo* key = table->find(name)) return key;
  return nullptr;
}

bool is_key_of_some_client(std::string_view name) {
  return std::ranges::any_of(std::array{ClientKind::kProducer, ClientKind::kConsumer, ClientKind::kAdmin},
                             [&](ClientKind kind) { return find_key(kind, name) != nullptr; });
}

// The error of check_value, and the word that was meant when only certain words may stand.
Error wrong_value(const KeyInfo& key, std::string_view value, std::string message) {
  if (!key.validator.words.empty()) {
    const auto same_case = [&](std::string_view text) {
      std::string folded(text);
      const bool upper = std::isupper(static_cast<unsigned char>(key.validator.words[0][0])) != 0;
      std::ranges::transform(folded, folded.begin(),
                             [upper](unsigned char c) { return upper ? std::toupper(c) : std::tolower(c); });
      return folded;
    };
    const std::string_view meant = config::nearest_word(key.validator.words, same_case(config::trim(value)));
    if (!meant.empty() && value.size() > 2) message += fmt::format(": did you mean '{}'?", meant);
  }
  return config_error(std::move(message));
}

}  // namespace

Error config_error(std::string message) {
  return {.kind = Error::Kind::kConfig, .message = std::move(message)};
}

Result<Values> Values::read(const Config& config, ClientKind kind) {
  Values values;
  values.kind_ = kind;
  for (const auto& [name, value] : config.entries()) {
    const KeyInfo* key = find_key(kind, name);
    if (key == nullptr) {
      if (!is_key_of_some_client(name)) return std::unexpected(unknown_key(name));
      continue;
    }
    auto canonical = config::check_value(*key, value);
    if (!canonical) return std::unexpected(wrong_value(*key, value, canonical.error().message));
    values.given_[name] = *std::move(canonical);
  }
  return values;
}

std::optional<std::string> Values::find(std::string_view name) const {
  if (const auto given = given_.find(name); given != given_.end()) return given->second;
  const KeyInfo* key = find_key(kind_, name);
  CHECK(key != nullptr, "a value of a key that this kind of client does not have");
  if (!key->default_value) return std::nullopt;
  return std::string(*key->default_value);
}

int64_t Values::number(std::string_view name) const {
  return config::parse_long(text(name)).value_or(0);
}

std::vector<std::string> Values::list(std::string_view name) const {
  return config::split_list(text(name));
}

std::vector<ConfigKey> config_keys(ClientKind kind) {
  std::vector<ConfigKey> keys;
  for (const KeyTable* table : tables_of(kind))
    for (const KeyInfo& row : table->rows()) {
      if (row.internal) continue;
      keys.push_back({.name = row.name,
                      .type = config::type_name(row.type),
                      .default_value = row.required ? "required" : row.default_value.value_or("null"),
                      .doc = row.documentation,
                      .acts = row.effect == config::Effect::kActs});
    }
  std::ranges::sort(keys, {}, &ConfigKey::name);
  return keys;
}

}  // namespace barnabas::client
