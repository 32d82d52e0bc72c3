// Strong ids: an Offset cannot be mixed up with a LeaderEpoch. `.value` is the raw number of the wire.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace barnabas {

template <class Tag, class Raw>
struct Id {
  Raw value{};

  constexpr Id() = default;
  constexpr explicit Id(Raw raw) : value(raw) {}
  constexpr auto operator<=>(const Id&) const = default;
  constexpr Id next() const { return Id(static_cast<Raw>(value + 1)); }
};

// A position in a partition's log, in records.
struct Offset : Id<Offset, int64_t> {
  using Id::Id;
  constexpr Offset operator+(int64_t records) const { return Offset(value + records); }
  constexpr int64_t operator-(Offset other) const { return value - other.value; }
  constexpr Offset operator-(int64_t records) const { return Offset(value - records); }
  constexpr auto operator<=>(const Offset&) const = default;
};

struct LeaderEpochTag;
using LeaderEpoch = Id<LeaderEpochTag, int32_t>;
struct BrokerIdTag;
using BrokerId = Id<BrokerIdTag, int32_t>;
struct BrokerEpochTag;
using BrokerEpoch = Id<BrokerEpochTag, int64_t>;
struct ProducerIdTag;
using ProducerId = Id<ProducerIdTag, int64_t>;

inline constexpr Offset kNoOffset{-1};
inline constexpr LeaderEpoch kNoEpoch{-1};
inline constexpr ProducerId kNoProducerId{-1};

}  // namespace barnabas

template <class Tag, class Raw>
struct std::hash<barnabas::Id<Tag, Raw>> {
  size_t operator()(barnabas::Id<Tag, Raw> id) const noexcept { return std::hash<Raw>{}(id.value); }
};
