#include "security/scram.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>
#include <optional>

#include "base/check.h"
#include "security/base64.h"
#include "security/prepared_text.h"

namespace barnabas::security {
namespace {

const EVP_MD* digest_of(ScramHash hash) {
  return hash == ScramHash::kSha256 ? EVP_sha256() : EVP_sha512();
}

const unsigned char* data_of(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Buffer hmac(ScramHash hash, BytesView key, std::string_view text) {
  Buffer result(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  const auto* made = HMAC(digest_of(hash), key.data(), static_cast<int>(key.size()), data_of(as_bytes(text)),
                          text.size(), reinterpret_cast<unsigned char*>(result.data()), &length);
  CHECK(made != nullptr, "HMAC of bytes in memory cannot fail");
  result.resize(length);
  return result;
}

Buffer digest(ScramHash hash, BytesView bytes) {
  Buffer result(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  const int made = EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(result.data()), &length,
                              digest_of(hash), nullptr);
  CHECK(made == 1, "a digest of bytes in memory cannot fail");
  result.resize(length);
  return result;
}

std::string escaped_name(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '=')
      text += "=3D";
    else if (c == ',')
      text += "=2C";
    else
      text += c;
  }
  return text;
}

// The value of attribute `name` at the start of `text`, which it takes off with the comma behind it.
std::optional<std::string_view> take_attribute(std::string_view& text, char name) {
  if (text.size() < 2 || text[0] != name || text[1] != '=') return std::nullopt;
  const size_t comma = text.find(',');
  const std::string_view value = text.substr(2, comma == std::string_view::npos ? comma : comma - 2);
  text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  return value;
}

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::kInvalid, fmt::format("the server's SCRAM message {}", what));
}

class ScramClient : public SaslClient {
 public:
  ScramClient(ScramHash hash, SaslCredentials credentials, BytesView nonce)
      : hash_(hash), credentials_(std::move(credentials)), nonce_(to_base64(nonce)) {
    first_bare_ = fmt::format("n={},r={}", escaped_name(credentials_.username), nonce_);
  }
  ~ScramClient() override { OPENSSL_cleanse(credentials_.password.data(), credentials_.password.size()); }

  Buffer first() override { return to_buffer(as_bytes("n,," + first_bare_)); }

  Result<Buffer> next(BytesView from_server) override {
    switch (state_) {
      case State::kWaitsForFirst:
        return answer_first(as_text(from_server));
      case State::kWaitsForFinal:
        return check_final(as_text(from_server));
      case State::kDone:
        break;
    }
    return malformed("comes after the end of the exchange");
  }

  bool complete() const override { return state_ == State::kDone; }

 private:
  enum class State { kWaitsForFirst, kWaitsForFinal, kDone };

  Result<Buffer> answer_first(std::string_view message) {
    std::string_view rest = message;
    if (rest.starts_with("m=")) return malformed("wants an extension that is not supported");
    if (rest.starts_with("e=")) return refused(rest);
    const auto nonce = take_attribute(rest, 'r');
    const auto salt_text = take_attribute(rest, 's');
    const auto iterations_text = take_attribute(rest, 'i');
    if (!nonce || !salt_text || !iterations_text) return malformed("lacks nonce, salt or iterations");
    if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size())
      return fail(ErrorCode::kDenied, "the server answered with another nonce than ours");
    const auto salt = from_base64(*salt_text);
    if (!salt || salt->empty()) return malformed("has a salt that is no base64");
    int iterations = 0;
    const auto [end, error] =
        std::from_chars(iterations_text->data(), iterations_text->data() + iterations_text->size(), iterations);
    if (error != std::errc() || end != iterations_text->data() + iterations_text->size() ||
        iterations < kScramIterationsMin || iterations > kScramIterationsMax)
      return malformed(fmt::format("asks for {} iterations; {} to {} are allowed", *iterations_text,
                                   kScramIterationsMin, kScramIterationsMax));
    return prove(message, *nonce, *salt, iterations);
  }

  Buffer prove(std::string_view server_first, std::string_view nonce, BytesView salt, int iterations) {
    const Buffer salted = scram_salted_password(hash_, credentials_.password, salt, iterations);
    const Buffer client_key = hmac(hash_, salted, "Client Key");
    const ScramKeys keys = scram_keys(hash_, salted);
    const std::string without_proof = fmt::format("c=biws,r={}", nonce);
    const std::string all = fmt::format("{},{},{}", first_bare_, server_first, without_proof);
    Buffer proof = hmac(hash_, keys.stored_key, all);
    for (size_t at = 0; at < proof.size(); ++at) proof[at] ^= client_key[at];
    server_signature_ = hmac(hash_, keys.server_key, all);
    state_ = State::kWaitsForFinal;
    return to_buffer(as_bytes(fmt::format("{},p={}", without_proof, to_base64(proof))));
  }

  Result<Buffer> check_final(std::string_view message) {
    if (message.starts_with("e=")) return refused(message);
    const auto text = take_attribute(message, 'v');
    const auto signature = text ? from_base64(*text) : std::nullopt;
    if (!signature) return malformed("has no signature");
    if (signature->size() != server_signature_.size() ||
        CRYPTO_memcmp(signature->data(), server_signature_.data(), signature->size()) != 0)
      return fail(ErrorCode::kDenied, "the server does not know the password: its signature is wrong");
    state_ = State::kDone;
    return Buffer{};
  }

  static std::unexpected<Error> refused(std::string_view message) {
    return fail(ErrorCode::kDenied, fmt::format("the server refused the login: {}",
                                                take_attribute(message, 'e').value_or("no reason given")));
  }

  ScramHash hash_;
  SaslCredentials credentials_;
  std::string nonce_;
  std::string first_bare_;
  Buffer server_signature_;
  State state_ = State::kWaitsForFirst;
};

}  // namespace

Buffer scram_salted_password(ScramHash hash, std::string_view password, BytesView salt, int iterations) {
  const EVP_MD* digest = digest_of(hash);
  Buffer salted(static_cast<size_t>(EVP_MD_get_size(digest)));
  const int made = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), data_of(salt),
                                     static_cast<int>(salt.size()), iterations, digest, static_cast<int>(salted.size()),
                                     reinterpret_cast<unsigned char*>(salted.data()));
  CHECK(made == 1, "PBKDF2 of bytes in memory cannot fail");
  return salted;
}

ScramKeys scram_keys(ScramHash hash, BytesView salted_password) {
  return {.stored_key = digest(hash, hmac(hash, salted_password, "Client Key")),
          .server_key = hmac(hash, salted_password, "Server Key")};
}

Result<std::unique_ptr<SaslClient>> make_scram_client(ScramHash hash, SaslCredentials credentials, BytesView nonce) {
  constexpr size_t kShortestNonce = 12;
  TRY(check_prepared("the user name", credentials.username));
  TRY(check_prepared("the password", credentials.password));
  if (nonce.size() < kShortestNonce) return fail(ErrorCode::kInvalid, "the nonce is too short");
  return std::make_unique<ScramClient>(hash, std::move(credentials), nonce);
}

}  // namespace barnabas::security
