// What configuration says about connections, in the words of the seam and of `net`.
#pragma once

#include <string>

#include "config/broker_config.h"
#include "net/connection_quotas.h"
#include "runtime/stream.h"

namespace barnabas::node {

runtime::ListenOptions listen_options(const config::SocketConfig& sockets);
net::ConnectionLimits connection_limits(const config::SocketConfig& sockets, const std::string& inter_broker_listener);

}  // namespace barnabas::node
