#include "security/sasl.h"

#include <fmt/format.h>

#include "security/prepared_text.h"
#include "security/scram.h"

namespace barnabas::security {
namespace {

class PlainClient : public SaslClient {
 public:
  explicit PlainClient(SaslCredentials credentials) : credentials_(std::move(credentials)) {}

  Buffer first() override {
    std::string token(1, '\0');
    token += credentials_.username;
    token += '\0';
    token += credentials_.password;
    return to_buffer(as_bytes(token));
  }

  Result<Buffer> next(BytesView from_server) override {
    if (complete_ || !from_server.empty())
      return fail(ErrorCode::kInvalid, "the server goes on talking where PLAIN has nothing more to say");
    complete_ = true;
    return Buffer{};
  }

  bool complete() const override { return complete_; }

 private:
  SaslCredentials credentials_;
  bool complete_ = false;
};

Result<std::unique_ptr<SaslClient>> make_plain(SaslCredentials credentials) {
  if (credentials.username.empty()) return fail(ErrorCode::kInvalid, "the user name is empty");
  for (const std::string* text : {&credentials.username, &credentials.password})
    if (!is_utf8(*text) || text->find('\0') != std::string::npos)
      return fail(ErrorCode::kInvalid, "user name and password must be UTF-8 without zero bytes");
  return std::make_unique<PlainClient>(std::move(credentials));
}

}  // namespace

Result<std::unique_ptr<SaslClient>> SaslClient::create(std::string_view mechanism, SaslCredentials credentials,
                                                       BytesView nonce) {
  if (mechanism == "PLAIN") return make_plain(std::move(credentials));
  if (mechanism == "SCRAM-SHA-256") return make_scram_client(ScramHash::kSha256, std::move(credentials), nonce);
  if (mechanism == "SCRAM-SHA-512") return make_scram_client(ScramHash::kSha512, std::move(credentials), nonce);
  return fail(ErrorCode::kUnsupported, fmt::format("SASL mechanism {} is not supported: there are PLAIN, SCRAM-SHA-256 "
                                                   "and SCRAM-SHA-512",
                                                   mechanism));
}

}  // namespace barnabas::security
