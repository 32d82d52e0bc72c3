// Records of the metadata log: the value of each is a frame (version 1), a key that names the type, a version and the
// fields. The types and their versions are those of schema/metadata.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/messages/metadata_records.h"

namespace barnabas::wire {

// Exactly one record. Strange frames, unknown types and versions and bytes left over are errors that name them.
Result<MetadataRecord> decode_metadata_record(BytesView value);

// `version` must be one the record has and its fields fit into: which one is written follows from the metadata.version.
Buffer encode_metadata_record(const MetadataRecord& record, int16_t version);

// "PartitionRecord"
std::string_view metadata_record_name(const MetadataRecord& record);
std::string to_string(const MetadataRecord& record);

}  // namespace barnabas::wire
