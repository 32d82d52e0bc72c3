// SystemRandom: the kernel's random numbers, fit for secrets; fetched in blocks per thread.
#pragma once

#include "runtime/random.h"

namespace barnabas::host {

class SystemRandom final : public runtime::Random {
 public:
  uint64_t next() override;
};

}  // namespace barnabas::host
