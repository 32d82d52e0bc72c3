// Sampler: random values for the fields of a message, out of a seed. For tests only. Values lean towards the edges
// (zero, -1, the ends of a type, empty, lengths that need a second byte). It owns the text and records it hands out as
// views, so it must outlive the messages it filled.
#pragma once

#include <bit>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/payload.h"
#include "base/uuid.h"
#include "wire/kafka_error.h"
#include "wire/unknown_tags.h"

namespace barnabas::wire::testing {

class Sampler {
 public:
  explicit Sampler(uint64_t seed) : state_(seed) {}

  uint64_t bits() {  // splitmix64
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return bits() % bound; }
  bool one_in(uint64_t n) { return below(n) == 0; }

  size_t count() { return one_in(40) ? 130 : below(4); }
  bool flag() { return one_in(2); }
  // Whether to set a tagged field, and whether to make a nullable one null.
  bool tagged() { return one_in(2); }
  bool null() { return one_in(4); }

  template <class T>
  T number() {
    switch (below(6)) {
      case 0:
        return 0;
      case 1:
        return static_cast<T>(-1);
      case 2:
        return std::numeric_limits<T>::min();
      case 3:
        return std::numeric_limits<T>::max();
      case 4:
        return static_cast<T>(below(100));
      default:
        return static_cast<T>(bits());
    }
  }

  std::string text() {
    static constexpr std::string_view kPieces[] = {
        "a", "Z", "0", "-", "topic", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\xa6", " "};
    std::string text;
    for (size_t left = one_in(20) ? 200 : below(8); left > 0; --left) text += kPieces[below(std::size(kPieces))];
    return text;
  }
  Buffer bytes() {
    Buffer bytes(one_in(20) ? 300 : below(20));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(bits());
    return bytes;
  }

  void fill(bool& to) { to = flag(); }
  void fill(int8_t& to) { to = number<int8_t>(); }
  void fill(int16_t& to) { to = number<int16_t>(); }
  void fill(int32_t& to) { to = number<int32_t>(); }
  void fill(int64_t& to) { to = number<int64_t>(); }
  void fill(uint16_t& to) { to = number<uint16_t>(); }
  void fill(uint32_t& to) { to = number<uint32_t>(); }
  void fill(double& to) { to = static_cast<double>(number<int32_t>()) / 4; }
  void fill(Uuid& to) { to = one_in(4) ? Uuid{} : Uuid{bits(), bits()}; }
  void fill(KafkaError& to) {
    to = one_in(2) ? static_cast<KafkaError>(below(130)) : static_cast<KafkaError>(number<int16_t>());
  }
  void fill(std::string& to) { to = text(); }
  void fill(std::string_view& to) { to = texts_.emplace_back(text()); }
  void fill(Buffer& to) { to = bytes(); }
  void fill(Payload& to) {
    Buffer content = bytes();
    if (one_in(20)) content.resize(5000);  // large enough to stay outside of the writer's buffer
    to = Payload::own(std::move(content));
  }
  void fill(UnknownTags& to) {
    if (!one_in(8)) return;
    for (uint32_t number = 50 + static_cast<uint32_t>(below(200)); flag();
         number += 1 + static_cast<uint32_t>(below(300))) {
      to.set(number, bytes());
    }
  }
  template <class T>
  void fill(std::vector<T>& to) {
    to.resize(count());
    for (T& one : to) fill(one);
  }

 private:
  uint64_t state_;
  std::deque<std::string> texts_;
};

}  // namespace barnabas::wire::testing
