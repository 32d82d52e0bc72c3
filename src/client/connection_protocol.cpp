#include "client/connection_protocol.h"

#include <algorithm>

namespace barnabas::client {

namespace {

constexpr size_t kShownBytes = 24;

bool printable(std::byte byte) {
  auto c = std::to_integer<unsigned char>(byte);
  return (c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n' || c == '\t';
}

// A record of TLS 1.x: its type, then version 3.x.
bool is_tls(BytesView bytes) {
  if (bytes.size() < 3) return false;
  auto type = std::to_integer<int>(bytes[0]);
  return (type == 0x15 || type == 0x16) && std::to_integer<int>(bytes[1]) == 3 && std::to_integer<int>(bytes[2]) <= 4;
}

std::string shown(BytesView bytes) {
  bytes = bytes.first(std::min(bytes.size(), kShownBytes));
  std::string text;
  for (char c : as_text(bytes)) {
    if (c == '\r' || c == '\n') break;
    text += c;
  }
  return text;
}

}  // namespace

std::string describe_foreign(BytesView first) {
  std::string_view text = as_text(first);
  if (is_tls(first)) return "the peer speaks TLS; set security.protocol to SSL or SASL_SSL";
  if (text.starts_with("HTTP/") || text.starts_with("<!") || text.starts_with("<html")) {
    return "the peer speaks HTTP, not Kafka";
  }
  if (text.starts_with("SSH-")) return "the peer speaks SSH, not Kafka";
  BytesView start = first.first(std::min(first.size(), kShownBytes));
  if (!start.empty() && std::ranges::all_of(start, printable)) {
    return "the peer does not speak Kafka; it said \"" + shown(start) + '"';
  }
  return "the peer does not speak Kafka; its answer begins with " +
         to_hex(start.first(std::min<size_t>(8, start.size())));
}

}  // namespace barnabas::client
