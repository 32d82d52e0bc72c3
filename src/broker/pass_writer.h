// PassWriter: one loop's list of partitions that gathered batches in this pass. At the end of the pass each is written
// with one call. Lives on its loop.
#pragma once

#include <memory>
#include <vector>

#include "runtime/executor.h"

namespace barnabas::broker {

class Partition;

class PassWriter {
 public:
  explicit PassWriter(runtime::Executor& loop) : loop_(loop) {}

  // On the loop; the same partition may be named more than once.
  void dirty(std::shared_ptr<Partition> partition);

 private:
  void write_all();

  runtime::Executor& loop_;
  std::vector<std::shared_ptr<Partition>> dirty_;
};

}  // namespace barnabas::broker
