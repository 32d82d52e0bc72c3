// SCRAM (RFC 5802, RFC 7677): the arithmetic of both ends, and the client's conversation. Without channel binding, as
// Kafka has it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "security/sasl.h"

namespace barnabas::security {

enum class ScramHash { kSha256, kSha512 };

inline constexpr int kScramIterationsMin = 4096;
inline constexpr int kScramIterationsMax = 1'000'000;  // more would hold the loop up for a second or longer

// Hi(password, salt, iterations): what a server's stored keys are made of.
Buffer scram_salted_password(ScramHash hash, std::string_view password, BytesView salt, int iterations);

// What a server stores of a user.
struct ScramKeys {
  Buffer stored_key;
  Buffer server_key;
};
ScramKeys scram_keys(ScramHash hash, BytesView salted_password);

// kInvalid when name or password hold what SASL forbids, or `nonce` is shorter than 12 bytes.
Result<std::unique_ptr<SaslClient>> make_scram_client(ScramHash hash, SaslCredentials credentials, BytesView nonce);

}  // namespace barnabas::security
