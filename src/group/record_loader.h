// RecordLoader: turns the records of __consumer_offsets back into the state of a shard. Bytes come from the disk, so
// every one is checked; a record it does not know is none of its business.
#pragma once

#include "group/group_shard.h"
#include "group/shard_state.h"

namespace barnabas::group {

Result<> load_record(ShardState& state, const GroupShard::LoggedRecord& record);

}  // namespace barnabas::group
