// CRC-32C (Castagnoli), the checksum of record batches and producer snapshots. The work is isa-l's, which picks the
// best instructions of the CPU at run time (up to 48 GB/s on hot data). Values are the usual ones: crc32c("123456789")
// is 0xe3069283.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace barnabas {

// The checksum of `bytes`, or, with the checksum of what came before as `seed`, of both together.
uint32_t crc32c(BytesView bytes, uint32_t seed = 0);

// The checksum of A followed by B out of the two checksums and the size of B, without reading either.
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t size_b);

// `crc` is the checksum of `old_prefix` followed by `suffix_size` more bytes. Returns what it becomes when the prefix
// is replaced by `new_prefix` of the same size; the suffix is not read.
uint32_t crc32c_replace_prefix(uint32_t crc, BytesView old_prefix, BytesView new_prefix, uint64_t suffix_size);

}  // namespace barnabas
