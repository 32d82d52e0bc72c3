// Replaying bytes of the metadata log: record batches into an ImageBuilder.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "metadata/image_builder.h"

namespace barnabas::metadata {

// Replays whole batches from `batches` whose records lie at or above `from`; a batch that straddles `from` is replayed
// from there on. Control batches set kraft.version and are otherwise passed over. Returns the offset after the last
// batch. Each batch is checked (CRC, counts, record frames); the error names the offset.
Result<Offset> replay_batches(BytesView batches, Offset from, ImageBuilder& builder);

}  // namespace barnabas::metadata
