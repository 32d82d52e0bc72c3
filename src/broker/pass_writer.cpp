#include "broker/pass_writer.h"

#include <utility>

#include "broker/partition.h"

namespace barnabas::broker {

void PassWriter::dirty(std::shared_ptr<Partition> partition) {
  if (dirty_.empty()) loop_.at_end_of_pass([this] { write_all(); });
  if (dirty_.empty() || dirty_.back() != partition) dirty_.push_back(std::move(partition));
}

void PassWriter::write_all() {
  // Writing may complete requests whose handlers append again: those gather for the next round.
  auto batch = std::exchange(dirty_, {});
  for (auto& partition : batch) partition->write_staged(loop_);
}

}  // namespace barnabas::broker
