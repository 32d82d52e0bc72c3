#include "base/uuid.h"

#include <array>

namespace barnabas {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::array<uint8_t, 16> bytes_of(const Uuid& id) {
  std::array<uint8_t, 16> bytes{};
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<uint8_t>(id.most >> (56 - 8 * i));
    bytes[8 + i] = static_cast<uint8_t>(id.least >> (56 - 8 * i));
  }
  return bytes;
}

}  // namespace

std::string Uuid::to_string() const {
  auto bytes = bytes_of(*this);
  std::string text;
  text.reserve(22);
  uint32_t bits = 0;
  int count = 0;
  for (uint8_t b : bytes) {
    bits = bits << 8 | b;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text.push_back(kAlphabet[bits >> count & 63]);
    }
  }
  text.push_back(kAlphabet[bits << (6 - count) & 63]);
  return text;
}

std::string Uuid::to_hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t b : bytes_of(*this)) {
    text.push_back(kDigits[b >> 4]);
    text.push_back(kDigits[b & 15]);
  }
  return text;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 22) {
    return fail(ErrorCode::kInvalid, "'" + std::string(text) + "' is not a uuid: 22 base64url characters are expected");
  }
  Uuid id;
  for (size_t i = 0; i < text.size(); ++i) {
    size_t digit = kAlphabet.find(text[i]);
    if (digit == std::string_view::npos) {
      return fail(ErrorCode::kInvalid,
                  "'" + std::string(text) + "' is not a uuid: bad character at " + std::to_string(i));
    }
    // 128 bits are 21 whole digits and the upper two bits of the last one.
    int width = i == 21 ? 2 : 6;
    uint64_t value = i == 21 ? digit >> 4 : digit;
    id.most = id.most << width | id.least >> (64 - width);
    id.least = id.least << width | value;
  }
  return id;
}

}  // namespace barnabas
