// TopicLookup: what a group core needs to know about topics, asked of the caller's metadata image during one call. The
// core keeps no reference to it after the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace barnabas::group {

struct TopicInfo {
  std::string name;
  Uuid id;
  int32_t partitions = 0;
};

class TopicLookup {
 public:
  virtual ~TopicLookup() = default;
  virtual std::optional<TopicInfo> by_name(std::string_view name) const = 0;
  virtual std::optional<TopicInfo> by_id(const Uuid& id) const = 0;
};

}  // namespace barnabas::group
