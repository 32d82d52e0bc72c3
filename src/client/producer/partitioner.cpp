#include "client/producer/partitioner.h"

#include <algorithm>

#include "base/check.h"
#include "client/producer/murmur2.h"

namespace barnabas::client::producer {

size_t choose_by_queue(std::span<const int32_t> queued, uint32_t random) {
  CHECK(!queued.empty(), "there is a partition to choose");
  auto [shortest, longest] = std::ranges::minmax(queued);
  if (shortest == longest) return static_cast<size_t>(to_positive(random)) % queued.size();
  int64_t total = 0;
  for (int32_t queue : queued) total += longest + 1 - queue;
  int64_t at = to_positive(random) % total;
  for (size_t i = 0; i < queued.size(); ++i) {
    at -= longest + 1 - queued[i];
    if (at < 0) return i;
  }
  return queued.size() - 1;
}

bool sticky_is_over(size_t bytes, size_t batch_bytes, bool batch_is_full) {
  return (bytes >= batch_bytes && batch_is_full) || bytes >= 2 * batch_bytes;
}

}  // namespace barnabas::client::producer
