#include "node/connection_settings.h"

namespace barnabas::node {

runtime::ListenOptions listen_options(const config::SocketConfig& sockets) {
  runtime::ListenOptions options{.send_buffer_bytes = sockets.send_buffer_bytes,
                                 .receive_buffer_bytes = sockets.receive_buffer_bytes};
  if (sockets.listen_backlog_size) options.backlog = *sockets.listen_backlog_size;
  return options;
}

net::ConnectionLimits connection_limits(const config::SocketConfig& sockets, const std::string& inter_broker_listener) {
  net::ConnectionLimits limits{
      .node = {.connections_max = sockets.max_connections, .per_second_max = sockets.max_connection_creation_rate},
      .listeners = {},
      .per_ip_max = sockets.max_connections_per_ip,
      .per_ip_overrides = {sockets.max_connections_per_ip_overrides.begin(),
                           sockets.max_connections_per_ip_overrides.end()},
      .inter_broker_listener = inter_broker_listener};
  for (const auto& [name, listener] : sockets.listeners) {
    limits.listeners[name] = {.connections_max = listener.max_connections,
                              .per_second_max = listener.max_connection_creation_rate};
  }
  return limits;
}

}  // namespace barnabas::node
