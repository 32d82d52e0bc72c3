// Listeners of a node as configured: name, address and security protocol. No sockets here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace barnabas::config {

// Values are Kafka's ids; they go into broker registrations.
enum class SecurityProtocol : int16_t { kPlaintext = 0, kSsl = 1, kSaslPlaintext = 2, kSaslSsl = 3 };

Result<SecurityProtocol> parse_security_protocol(std::string_view text);
std::string_view security_protocol_name(SecurityProtocol protocol);

struct HostPort {
  std::string host;  // "" is every interface; IPv6 without brackets
  uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

Result<HostPort> parse_host_port(std::string_view text);
std::string to_string(const HostPort& address);

struct Listener {
  std::string name;  // upper case
  HostPort address;  // port 0: the system chooses
  SecurityProtocol protocol = SecurityProtocol::kPlaintext;

  bool operator==(const Listener&) const = default;
};

// Name -> protocol. Names are upper case.
using ProtocolMap = std::map<std::string, SecurityProtocol, std::less<>>;

Result<ProtocolMap> parse_protocol_map(std::string_view text);

// "NAME://host:port,...". Every name must be in `protocols`; no name twice, no port twice but as IPv4 + IPv6 pair.
Result<std::vector<Listener>> parse_listeners(std::string_view key, std::string_view text, const ProtocolMap& protocols,
                                              bool unique_ports);

std::string to_string(const Listener& listener);  // NAME://host:port

}  // namespace barnabas::config
