// Which version of each record type may be written under a metadata.version: Kafka stops at a record it does not know,
// so nothing above the finalised level may ever reach the log.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "wire/metadata_record.h"

namespace barnabas::metadata {

// Kafka's choice for `record` at `metadata_version`.
int16_t record_version(const wire::MetadataRecord& record, int16_t metadata_version);

// Clears the fields that the version of that level cannot carry (log directories, ELR, cordoned directories).
void fit_to_version(wire::MetadataRecord& record, int16_t metadata_version);

// The value bytes of `record` as that level writes them, fields it cannot carry left out.
Buffer encode_at(const wire::MetadataRecord& record, int16_t metadata_version);

}  // namespace barnabas::metadata
