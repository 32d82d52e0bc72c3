// SocketAddress: an IPv4 or IPv6 address and port as the kernel wants it, and the way there from names.
#pragma once

#include <sys/socket.h>

#include <vector>

#include "base/result.h"
#include "runtime/stream.h"

namespace barnabas::host {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

enum class Resolve {
  kNumeric,  // addresses only: never blocks
  kNames,    // asks the resolver: may block for seconds
};

// All addresses of `endpoint`, best first. With `passive` an empty host means every local address.
Result<std::vector<SocketAddress>> resolve(const runtime::Endpoint& endpoint, Resolve how, bool passive);

// The numeric form; an IPv4 address in IPv6's clothes is shown as IPv4.
runtime::Endpoint to_endpoint(const SocketAddress& address);
runtime::Endpoint local_endpoint(int fd);

}  // namespace barnabas::host
