// Which partition of __consumer_offsets (or __transaction_state) coordinates a key: Java's String.hashCode over UTF-16
// code units, so that it is the one Kafka chose.
#pragma once

#include <cstdint>
#include <string_view>

namespace barnabas::group {

// `text` is UTF-8; ill-formed bytes count as U+FFFD, as Java decodes them.
int32_t java_string_hash(std::string_view text);

// Length of UTF-8 `text` in UTF-16 code units, i.e. Java's String.length().
int32_t utf16_length(std::string_view text);

// The partition of `key` out of `partition_count` (> 0).
int32_t partition_for(std::string_view key, int32_t partition_count);

}  // namespace barnabas::group
