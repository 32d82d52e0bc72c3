// SimRandom: chance out of the seed. Each consumer has a stream of its own, so that one that draws more often does not
// change what the others see.
#pragma once

#include <string_view>

#include "base/time.h"
#include "runtime/random.h"

namespace barnabas::sim {

class SimRandom final : public runtime::Random {
 public:
  SimRandom(uint64_t seed, std::string_view stream);
  uint64_t next() override;

  bool one_in(uint64_t n) { return below(n) == 0; }
  // Uniform in [least, most].
  Duration between(Duration least, Duration most) {
    return least + Duration(static_cast<int64_t>(below(static_cast<uint64_t>((most - least).count()) + 1)));
  }

 private:
  uint64_t state_;
};

}  // namespace barnabas::sim
