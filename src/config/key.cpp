#include "config/key.h"

namespace barnabas::config {

std::string_view type_name(KeyType type) {
  switch (type) {
    case KeyType::kUnknown:
      return "unknown";
    case KeyType::kBoolean:
      return "boolean";
    case KeyType::kString:
      return "string";
    case KeyType::kInt:
      return "int";
    case KeyType::kShort:
      return "short";
    case KeyType::kLong:
      return "long";
    case KeyType::kDouble:
      return "double";
    case KeyType::kList:
      return "list";
    case KeyType::kClass:
      return "class";
    case KeyType::kPassword:
      return "password";
  }
  return "unknown";
}

std::string_view importance_name(Importance value) {
  switch (value) {
    case Importance::kHigh:
      return "high";
    case Importance::kMedium:
      return "medium";
    case Importance::kLow:
      return "low";
  }
  return "";
}

std::string_view update_mode_name(UpdateMode mode) {
  switch (mode) {
    case UpdateMode::kReadOnly:
      return "read-only";
    case UpdateMode::kPerBroker:
      return "per-broker";
    case UpdateMode::kClusterWide:
      return "cluster-wide";
  }
  return "";
}

}  // namespace barnabas::config
