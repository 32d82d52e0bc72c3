#include "config/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "config/value.h"

namespace barnabas::config {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::toupper(c); });
  return result;
}

enum class Family { kAny, kIpv4, kIpv6 };

Family family_of(std::string_view host) {
  if (host.find(':') != std::string_view::npos) return Family::kIpv6;
  const bool numeric = !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return numeric ? Family::kIpv4 : Family::kAny;
}

// One listener may have an IPv4 and another an IPv6 address on the same port; nothing else may share one.
bool may_share_port(const Listener& left, const Listener& right) {
  const Family a = family_of(left.address.host);
  const Family b = family_of(right.address.host);
  return (a == Family::kIpv4 && b == Family::kIpv6) || (a == Family::kIpv6 && b == Family::kIpv4);
}

}  // namespace

Result<SecurityProtocol> parse_security_protocol(std::string_view text) {
  const std::string name = upper(trim(text));
  for (const SecurityProtocol protocol : {SecurityProtocol::kPlaintext, SecurityProtocol::kSsl,
                                          SecurityProtocol::kSaslPlaintext, SecurityProtocol::kSaslSsl})
    if (name == security_protocol_name(protocol)) return protocol;
  return fail(ErrorCode::kInvalid,
              fmt::format("{} is no security protocol: use PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", text));
}

std::string_view security_protocol_name(SecurityProtocol protocol) {
  switch (protocol) {
    case SecurityProtocol::kPlaintext:
      return "PLAINTEXT";
    case SecurityProtocol::kSsl:
      return "SSL";
    case SecurityProtocol::kSaslPlaintext:
      return "SASL_PLAINTEXT";
    case SecurityProtocol::kSaslSsl:
      return "SASL_SSL";
  }
  return "";
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalid, fmt::format("{} is not host:port with a port from 0 to 65535", text));
  };
  const std::string_view trimmed = trim(text);
  const size_t colon = trimmed.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = trimmed.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return wrong();
    host = host.substr(1, host.size() - 2);
  }
  const std::string_view digits = trimmed.substr(colon + 1);
  const std::optional<int64_t> port = parse_long(digits);
  if (!port || *port < 0 || *port > 65535 || digits.starts_with('+')) return wrong();
  constexpr std::string_view kBad = " /@[]";
  if (host.find_first_of(kBad) != std::string_view::npos) return wrong();
  return HostPort{.host = std::string(host), .port = static_cast<uint16_t>(*port)};
}

std::string to_string(const HostPort& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", address.host, address.port) : fmt::format("{}:{}", address.host, address.port);
}

Result<ProtocolMap> parse_protocol_map(std::string_view text) {
  ProtocolMap map;
  for (const std::string& item : split_list(text)) {
    const size_t colon = item.find(':');
    if (colon == std::string::npos || colon == 0)
      return fail(ErrorCode::kInvalid, fmt::format("'{}' is not NAME:PROTOCOL", item));
    const std::string name = upper(trim(std::string_view(item).substr(0, colon)));
    TRY_ASSIGN(const SecurityProtocol protocol, parse_security_protocol(std::string_view(item).substr(colon + 1)));
    if (!map.emplace(name, protocol).second)
      return fail(ErrorCode::kInvalid, fmt::format("the name {} stands twice", name));
  }
  return map;
}

Result<std::vector<Listener>> parse_listeners(std::string_view key, std::string_view text, const ProtocolMap& protocols,
                                              bool unique_ports) {
  const auto wrong = [&](const std::string& what) {
    return fail(ErrorCode::kInvalid, fmt::format("Invalid value {} for configuration {}: {}", text, key, what));
  };
  std::vector<Listener> listeners;
  for (const std::string& item : split_list(text)) {
    const size_t slashes = item.find("://");
    if (slashes == std::string::npos || slashes == 0) return wrong(fmt::format("'{}' is not NAME://host:port", item));
    Listener listener{.name = upper(std::string_view(item).substr(0, slashes))};
    auto address = parse_host_port(std::string_view(item).substr(slashes + 3));
    if (!address) return wrong(fmt::format("'{}' is not NAME://host:port with a port from 0 to 65535", item));
    listener.address = *std::move(address);
    const auto protocol = protocols.find(listener.name);
    if (protocol == protocols.end())
      return wrong(
          fmt::format("No security protocol defined for listener {}; add {}:PLAINTEXT (or another protocol) "
                      "to listener.security.protocol.map",
                      listener.name, listener.name));
    listener.protocol = protocol->second;
    for (const Listener& other : listeners) {
      if (other.name == listener.name)
        return wrong(fmt::format("Each listener must have a different name, {} stands twice", listener.name));
      if (unique_ports && listener.address.port != 0 && other.address.port == listener.address.port &&
          !may_share_port(other, listener))
        return wrong(
            fmt::format("Each listener must have a different port, {} stands twice (only an IPv4 and an IPv6 "
                        "address may share one)",
                        listener.address.port));
    }
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

std::string to_string(const Listener& listener) {
  return fmt::format("{}://{}", listener.name, to_string(listener.address));
}

}  // namespace barnabas::config
