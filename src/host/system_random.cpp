#include "host/system_random.h"

#include <sys/random.h>

#include <array>

#include "base/check.h"

namespace barnabas::host {

uint64_t SystemRandom::next() {
  constexpr size_t kBlock = 32;  // 256 bytes: what getrandom() gives whole, whatever signals come
  thread_local std::array<uint64_t, kBlock> block;
  thread_local size_t left = 0;
  if (left == 0) {
    CHECK(getrandom(block.data(), sizeof(block), 0) == sizeof(block), "the kernel gave no random numbers");
    left = kBlock;
  }
  return block[--left];
}

}  // namespace barnabas::host
