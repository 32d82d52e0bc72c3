// The APIs of the protocol as release 4.3 serves them: its versions, those it tells of, and where. Generated from
// schema/api; a key that release does not have is unknown here, although its messages exist.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace barnabas::wire {

struct VersionRange {
  int16_t min = 0;
  int16_t max = -1;

  constexpr bool empty() const { return max < min; }
  constexpr bool contains(int16_t version) const { return min <= version && version <= max; }
  bool operator==(const VersionRange&) const = default;
};

struct ApiInfo {
  int16_t key = 0;
  std::string_view name;  // "CreateTopics"
  // What is served; a version outside closes the connection (ApiVersions apart).
  int16_t min_version = 0;
  int16_t max_version = -1;
  int16_t flexible_from = 0;
  bool on_broker = false;
  bool on_controller = false;
  // What ApiVersions tells, where it is not what is served: Produce says 0 for the sake of old clients; telemetry is
  // not told of unless somebody wants it.
  VersionRange advertised;

  constexpr bool serves(int16_t version) const { return min_version <= version && version <= max_version; }
};

// All of them, in the order of their keys.
std::span<const ApiInfo> apis();
// The one with `key`, or nothing.
const ApiInfo* find_api(int16_t key);

}  // namespace barnabas::wire
