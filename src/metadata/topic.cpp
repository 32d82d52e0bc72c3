#include "metadata/topic.h"

#include <algorithm>

namespace barnabas::metadata {

bool Partition::has_replica(BrokerId broker) const {
  return std::ranges::find(replicas, broker) != replicas.end();
}

bool Partition::in_isr(BrokerId broker) const {
  return std::ranges::find(isr, broker) != isr.end();
}

Uuid Partition::directory_of(BrokerId broker) const {
  for (size_t i = 0; i < replicas.size() && i < directories.size(); ++i) {
    if (replicas[i] == broker) return directories[i];
  }
  return kZeroUuid;
}

bool is_internal_topic(std::string_view name) {
  return name == kConsumerOffsetsTopic || name == kTransactionStateTopic || name == kShareGroupStateTopic;
}

}  // namespace barnabas::metadata
