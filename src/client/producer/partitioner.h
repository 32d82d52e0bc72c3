// The built-in partitioner for records without a key (KIP-480, KIP-794): one partition gets batch.size bytes, then
// another; with partitioner.adaptive.partitioning.enable those with shorter queues more often.
#pragma once

#include <cstdint>
#include <span>

namespace barnabas::client::producer {

// Which of `queued.size()` candidates comes next: each with the weight (longest queue + 1 - its own), so that twice the
// room gives twice the records. `random` is any number. At least one candidate.
size_t choose_by_queue(std::span<const int32_t> queued, uint32_t random);

// Whether the sticky partition changes after `bytes` were appended to it: after batch.size, but not with a batch begun
// and not full, unless it has twice as much already.
bool sticky_is_over(size_t bytes, size_t batch_bytes, bool batch_is_full);

}  // namespace barnabas::client::producer
