#include "host/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>
#include <string>

namespace barnabas::host {

Result<std::vector<SocketAddress>> resolve(const runtime::Endpoint& endpoint, Resolve how, bool passive) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0) | (how == Resolve::kNumeric ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  const char* host = endpoint.host.empty() ? nullptr : endpoint.host.c_str();
  int status = getaddrinfo(host, std::to_string(endpoint.port).c_str(), &hints, &found);
  if (status != 0) {
    return fail(ErrorCode::kNotFound, "cannot find the address of " + endpoint.host + ": " + gai_strerror(status));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* info = found; info; info = info->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
    address.length = info->ai_addrlen;
    // Every local address: the IPv6 one serves both families, so it goes first.
    if (passive && endpoint.host.empty() && info->ai_family == AF_INET6) {
      addresses.insert(addresses.begin(), address);
    } else {
      addresses.push_back(address);
    }
  }
  return addresses;
}

runtime::Endpoint to_endpoint(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address.storage);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
    return {text, ntohs(in.sin_port)};
  }
  if (address.family() == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address.storage);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
      inet_ntop(AF_INET, in.sin6_addr.s6_addr + 12, text, sizeof(text));
    } else {
      inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof(text));
    }
    return {text, ntohs(in.sin6_port)};
  }
  return {};
}

runtime::Endpoint local_endpoint(int fd) {
  SocketAddress address;
  if (getsockname(fd, address.get(), &address.length) != 0) return {};
  return to_endpoint(address);
}

}  // namespace barnabas::host
