#include "metadata/broker.h"

#include <algorithm>

namespace barnabas::metadata {

const Endpoint* Broker::endpoint(std::string_view listener) const {
  auto found = std::ranges::find(endpoints, listener, &Endpoint::name);
  return found == endpoints.end() ? nullptr : &*found;
}

bool Broker::has_log_dir(const Uuid& directory) const {
  return std::ranges::find(log_dirs, directory) != log_dirs.end();
}

}  // namespace barnabas::metadata
