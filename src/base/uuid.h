// Uuid: Kafka's 16-byte id. Its text form is URL-safe base64 without padding, 22 characters (Kafka's Uuid.toString).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace barnabas {

struct Uuid {
  uint64_t most = 0;
  uint64_t least = 0;

  constexpr auto operator<=>(const Uuid&) const = default;
  constexpr bool is_zero() const { return most == 0 && least == 0; }

  std::string to_string() const;                     // 22 characters
  std::string to_hex() const;                        // 32 characters, as in -delete directory names
  static Result<Uuid> parse(std::string_view text);  // of to_string(); an error says what is wrong
};

inline constexpr Uuid kZeroUuid{};
inline constexpr Uuid kMetadataTopicId{0, 1};      // __cluster_metadata
inline constexpr Uuid kUnassignedDirectory{0, 1};  // DirectoryId.UNASSIGNED
inline constexpr Uuid kMigratingDirectory{0, 0};
inline constexpr Uuid kLostDirectory{0, 2};

}  // namespace barnabas

template <>
struct std::hash<barnabas::Uuid> {
  size_t operator()(const barnabas::Uuid& id) const noexcept { return id.most * 0x9e3779b97f4a7c15ULL ^ id.least; }
};
