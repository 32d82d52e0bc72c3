#include "runtime/stream.h"

namespace barnabas::runtime {

std::string Endpoint::to_string() const {
  bool bracket = host.find(':') != std::string::npos;
  return (bracket ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Task<Result<>> write_all(Stream& stream, std::span<const Payload> parts, CancelToken token) {
  uint64_t total = 0;
  for (const Payload& part : parts) total += part.size();
  uint64_t sent = 0;
  while (sent < total) {
    auto wrote = stream.try_write(parts, sent);
    if (!wrote) co_return std::unexpected(wrote.error());
    sent += *wrote;
    if (sent == total) break;
    if (*wrote > 0) continue;
    auto ready = co_await stream.writable(token);
    if (!ready) co_return ready;
  }
  co_return Result<>{};
}

}  // namespace barnabas::runtime
