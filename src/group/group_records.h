// The records of classic groups and their offsets, in the versions Kafka 4.3 writes: GroupMetadata value 3,
// OffsetCommit value 4 (1 when the client named a retention time), tombstones without a value.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "group/classic_group.h"
#include "group/offset_store.h"
#include "group/types.h"

namespace barnabas::group {

// `assignments` by member id; a member without one gets no bytes.
CoordinatorRecord group_record(const ClassicGroup& group,
                               const std::map<std::string, Buffer, std::less<>>& assignments);
// With the assignments the members have now.
CoordinatorRecord group_record(const ClassicGroup& group);
CoordinatorRecord group_tombstone(std::string_view group_id);

CoordinatorRecord offset_record(const OffsetKey& key, const StoredOffset& value);
CoordinatorRecord offset_tombstone(const OffsetKey& key);

}  // namespace barnabas::group
