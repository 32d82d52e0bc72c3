// Whole small files that configurations are or name: read on the thread that makes a client, before it has a loop.
#pragma once

#include <string>

#include "barnabas/error.h"

namespace barnabas::client {

// kIo: "<path> cannot be read: No such file or directory".
Result<std::string> read_settings_file(const std::string& path);

}  // namespace barnabas::client
