#include "runtime/random.h"

namespace barnabas::runtime {

Uuid Random::uuid() {
  while (true) {
    Uuid id{(next() & ~0xf000ULL) | 0x4000, (next() >> 2) | 0x8000000000000000ULL};
    // A leading '-' would read as a flag on command lines (Kafka's Uuid.randomUuid has the same rule).
    if (id.to_string()[0] != '-') return id;
  }
}

}  // namespace barnabas::runtime
