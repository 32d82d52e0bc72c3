// Reading server.properties from the real file system, with the variables ${env:}, ${file:} and ${dir:} may name.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/node_config.h"

namespace barnabas::cli {

// `file` "": defaults. Relative directories are taken from the working directory.
Result<config::NodeConfig> load_config(const std::string& file, const std::vector<std::string>& overrides);

}  // namespace barnabas::cli
