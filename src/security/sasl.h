// SaslClient: the client's side of one SASL exchange, as a conversation of byte strings. No sockets: the connection
// carries the tokens. Mechanisms: PLAIN (RFC 4616), SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace barnabas::security {

struct SaslCredentials {
  std::string username;
  std::string password;
};

class SaslClient {
 public:
  // kUnsupported names the mechanisms there are. `nonce` is at least 18 random bytes (the caller owns randomness).
  static Result<std::unique_ptr<SaslClient>> create(std::string_view mechanism, SaslCredentials credentials,
                                                    BytesView nonce);
  virtual ~SaslClient() = default;

  // The first token to send.
  virtual Buffer first() = 0;
  // The answer to what the server sent; empty when nothing is left to say. kDenied when the server's proof is wrong,
  // kInvalid when its message is malformed or asks for fewer than 4096 iterations.
  virtual Result<Buffer> next(BytesView from_server) = 0;
  // The exchange is over and the server proved what the mechanism lets it prove.
  virtual bool complete() const = 0;
};

}  // namespace barnabas::security
