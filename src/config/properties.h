// Java .properties files: parsed as java.util.Properties does, with the line of each key kept for error messages.
// Bytes are UTF-8 if they are valid UTF-8, ISO-8859-1 otherwise; values come out as UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace barnabas::config {

struct Property {
  std::string key;
  std::string value;
  int line = 0;  // 1 is the first; 0: not from a file

  bool operator==(const Property&) const = default;
};

class Properties {
 public:
  // Fails only on a malformed \uXXXX.
  static Result<Properties> parse(std::string_view bytes);

  // The last entry of a key wins, and stands where it was written last.
  void set(Property property);
  const Property* find(std::string_view key) const;
  const std::vector<Property>& entries() const { return entries_; }
  // Entries that a later one of the same key took the place of.
  const std::vector<Property>& replaced() const { return replaced_; }

 private:
  std::vector<Property> entries_;
  std::vector<Property> replaced_;
};

// "key=value" of --override. The key ends at the first '='; both sides are trimmed.
Result<Property> parse_override(std::string_view argument);

}  // namespace barnabas::config
