#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace barnabas {

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected: bit 31 is x^0

// a * b modulo the polynomial, all reflected.
constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (int bit = 31; bit >= 0; --bit) {
    product ^= b & -(a >> bit & 1);
    b = b >> 1 ^ (kPolynomial & -(b & 1));
  }
  return product;
}

// kPowers[k] = x^(8 * 2^k): what 2^k zero bytes behind a message do to its remainder.
constexpr std::array<uint32_t, 64> kPowers = [] {
  std::array<uint32_t, 64> powers{};
  powers[0] = 0x80000000u >> 8;
  for (size_t k = 1; k < powers.size(); ++k) powers[k] = multiply(powers[k - 1], powers[k - 1]);
  return powers;
}();

uint32_t shift_by_bytes(uint32_t remainder, uint64_t bytes) {
  for (size_t k = 0; bytes != 0; ++k, bytes >>= 1) {
    if (bytes & 1) remainder = multiply(kPowers[k], remainder);
  }
  return remainder;
}

// isa-l neither inverts its start value nor its result, and counts in int.
uint32_t remainder_of(BytesView bytes, uint32_t start) {
  constexpr size_t kPieceMax = size_t{1} << 30;
  while (!bytes.empty()) {
    BytesView piece = bytes.first(std::min(bytes.size(), kPieceMax));
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
    start = crc32_iscsi(data, static_cast<int>(piece.size()), start);
    bytes = bytes.subspan(piece.size());
  }
  return start;
}

}  // namespace

uint32_t crc32c(BytesView bytes, uint32_t seed) {
  return ~remainder_of(bytes, ~seed);
}

uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t size_b) {
  return shift_by_bytes(crc_a, size_b) ^ crc_b;
}

uint32_t crc32c_replace_prefix(uint32_t crc, BytesView old_prefix, BytesView new_prefix, uint64_t suffix_size) {
  CHECK(old_prefix.size() == new_prefix.size());
  // The checksum is linear but for its inversions, which cancel out in the difference of two messages of one length.
  uint32_t difference = remainder_of(old_prefix, 0) ^ remainder_of(new_prefix, 0);
  return crc ^ shift_by_bytes(difference, suffix_size);
}

}  // namespace barnabas
