// KeyInfo: one configuration key as Kafka 4.3 knows it: name, type, default, range, who may change it, and one
// sentence. The rows are generated from schema/config/*.cfg into constant tables (tables.h); nothing here allocates or
// changes.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace barnabas::config {

// Values are the ConfigType ids of the DescribeConfigs answer.
enum class KeyType : int8_t {
  kUnknown = 0,
  kBoolean = 1,
  kString = 2,
  kInt = 3,
  kShort = 4,
  kLong = 5,
  kDouble = 6,
  kList = 7,
  kClass = 8,
  kPassword = 9,
};

enum class Importance { kHigh, kMedium, kLow };

// Who may change a broker key while the node runs. Topic, group and client-metrics keys are always kClusterWide.
enum class UpdateMode { kReadOnly, kPerBroker, kClusterWide };

// Whether this build does something with the key, or takes it so that a Kafka file starts unchanged.
enum class Effect { kActs, kAccepted };

struct Validator {
  enum class Kind {
    kAny,
    kRange,              // min <= value <= max, or value == also
    kOneOf,              // exactly one of `words`
    kOneOfAnyCase,       // one of `words`, case does not matter
    kListOf,             // a list of `words` only
    kNonEmpty,           // a string that is not ""
    kThrottledReplicas,  // "*" or partition:broker,...
    kOffsetReset,        // latest, earliest or by_duration:<ISO-8601>
    kOffsetResetOrNone,  // the same, or none
    kVoters,             // id@host:port,...
    kHostPorts,          // host:port,...
    kHostCounts,         // host:count,... in a string
  };

  Kind kind = Kind::kAny;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::optional<double> also = std::nullopt;
  std::span<const std::string_view> words = {};
};

// A broker key that gives this key its value when the key itself is not set. `factor` converts the unit: hours to ms is
// 3600000.
struct KeySynonym {
  std::string_view name;
  int64_t factor = 1;
};

struct KeyInfo {
  std::string_view name;
  KeyType type = KeyType::kString;
  bool required = false;                          // no default at all: process.roles, node.id, ...
  std::optional<std::string_view> default_value;  // as DescribeConfigs shows it; nullopt is null
  Validator validator;
  Importance importance = Importance::kMedium;
  UpdateMode update_mode = UpdateMode::kReadOnly;
  bool internal = false;                 // Kafka does not document it
  bool sensitive = false;                // its value is never shown
  bool described = true;                 // appears in a DescribeConfigs answer
  std::span<const KeySynonym> synonyms;  // in order of precedence, without itself
  std::string_view documentation;
  Effect effect = Effect::kAccepted;
};

std::string_view type_name(KeyType type);            // "int"
std::string_view importance_name(Importance value);  // "high"
std::string_view update_mode_name(UpdateMode mode);  // "read-only", "per-broker", "cluster-wide": Kafka's words

}  // namespace barnabas::config
