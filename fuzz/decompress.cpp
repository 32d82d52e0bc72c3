// Fuzz target: any bytes as compressed data of the codec that the first byte chooses; and as plain data that must come
// back. Neither may take memory far beyond the limit.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "wire/compression.h"

namespace barnabas::wire {
namespace {

constexpr size_t kLimit = 1 << 20;

void try_codec(Codec codec, BytesView input) {
  auto plain = decompress(codec, input, kLimit);
  if (plain) CHECK(plain->size() <= kLimit);
  Buffer compressed = compress({codec, {}}, input);
  auto back = decompress(codec, compressed, input.size());
  CHECK(back && std::ranges::equal(*back, input));
}

}  // namespace
}  // namespace barnabas::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace barnabas::wire;
  if (size == 0) return 0;
  barnabas::BytesView input(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  try_codec(static_cast<Codec>(data[0] % (static_cast<int>(Codec::kZstd) + 1)), input);
  return 0;
}
