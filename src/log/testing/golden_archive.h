// Real data directories of Apache Kafka for tests: testdata/golden-*.tar.gz, unpacked into a MemoryDisk.
#pragma once

#include <string>

#include "base/bytes.h"
#include "log/testing/memory_disk.h"

namespace barnabas::log::testing {

// Unpacks the archive (gzip, ustar) at `path` below `directory`. Stops the test program when it cannot.
void unpack(const std::string& path, MemoryDisk& disk, const std::string& directory);

std::string sha256_hex(BytesView bytes);

}  // namespace barnabas::log::testing
