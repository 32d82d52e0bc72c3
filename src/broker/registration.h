// What the metadata image says of a partition, in the words of the replication core.
#pragma once

#include "metadata/topic.h"
#include "replication/partition.h"

namespace barnabas::broker {

inline replication::PartitionRegistration registration_of(const metadata::Partition& partition) {
  return {.leader = partition.leader,
          .leader_epoch = partition.leader_epoch,
          .partition_epoch = partition.partition_epoch,
          .replicas = partition.replicas,
          .isr = partition.isr};
}

}  // namespace barnabas::broker
