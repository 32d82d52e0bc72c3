// The producer snapshot: NNN.snapshot, ProducerState as it was before offset NNN, in Kafka's format. Of each producer
// it keeps only the newest batch, so the duplicate window after a restart is one batch until more arrive.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "replication/producer_state.h"

namespace barnabas::replication {

Buffer encode_producer_snapshot(const ProducerState& state);
// kCorrupt: not a snapshot, or one that is damaged; it is then to be rebuilt from the log.
Result<ProducerState> decode_producer_snapshot(BytesView bytes);

}  // namespace barnabas::replication
