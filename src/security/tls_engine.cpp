#include "security/tls_engine.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <optional>

#include "base/check.h"
#include "security/openssl_types.h"
#include "security/tls_context.h"

namespace barnabas::security {
namespace {

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = ASN1_STRING_length(address) == 4;
  if (!v4 && ASN1_STRING_length(address) != 16) return "";
  inet_ntop(v4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text.data(), text.size());
  return text.data();
}

// The names and addresses a certificate is for.
std::vector<std::string> subjects_of(X509* certificate) {
  std::vector<std::string> names;
  auto* alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int at = 0; at < sk_GENERAL_NAME_num(alternatives); ++at) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, at);
    if (name->type == GEN_DNS)
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                         static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (name->type == GEN_IPADD) names.push_back(address_text(name->d.iPAddress));
  }
  GENERAL_NAMES_free(alternatives);
  if (!names.empty()) return names;
  std::array<char, 256> common{};
  if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common.data(), common.size()) > 0)
    names.emplace_back(common.data());
  return names;
}

class OpensslEngine : public TlsEngine {
 public:
  OpensslEngine(std::shared_ptr<TlsContext> context, std::string host)
      : context_(std::move(context)), host_(std::move(host)) {
    ssl_.reset(SSL_new(static_cast<OpensslContext&>(*context_).get()));
    from_peer_ = BIO_new(BIO_s_mem());
    to_peer_ = BIO_new(BIO_s_mem());
    CHECK(ssl_ != nullptr && from_peer_ != nullptr && to_peer_ != nullptr, "OpenSSL gives a connection");
    SSL_set_bio(ssl_.get(), from_peer_, to_peer_);  // owns them
  }

  void begin_as_client(bool verify_host) {
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
    const bool address = is_address(host_);
    if (!address && !host_.empty()) SSL_set_tlsext_host_name(ssl_.get(), host_.c_str());
    if (verify_host) {
      X509_VERIFY_PARAM* rules = SSL_get0_param(ssl_.get());
      X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      if (address)
        X509_VERIFY_PARAM_set1_ip_asc(rules, host_.c_str());
      else
        X509_VERIFY_PARAM_set1_host(rules, host_.data(), host_.size());
    }
    SSL_set_cert_cb(ssl_.get(), remember_request, this);
    SSL_set_connect_state(ssl_.get());
    ERR_clear_error();
    SSL_do_handshake(ssl_.get());  // the first flight; there is nothing to read yet
    ERR_clear_error();
  }

  void begin_as_server(ClientCertificate wanted) {
    const int mode = wanted == ClientCertificate::kNotAsked ? SSL_VERIFY_NONE
                     : wanted == ClientCertificate::kWanted ? SSL_VERIFY_PEER
                                                            : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_set_verify(ssl_.get(), mode, nullptr);
    SSL_set_accept_state(ssl_.get());
  }

  Result<> put_ciphertext(BytesView bytes) override {
    if (failed_) return std::unexpected(*failed_);
    const int written = bytes.empty() ? 0 : BIO_write(from_peer_, bytes.data(), static_cast<int>(bytes.size()));
    CHECK(written == static_cast<int>(bytes.size()), "a BIO in memory takes everything");
    if (handshake_done()) return {};
    ERR_clear_error();
    const int status = SSL_do_handshake(ssl_.get());
    if (status == 1) return {};
    if (SSL_get_error(ssl_.get(), status) == SSL_ERROR_WANT_READ) return {};
    return std::unexpected(remember_failure());
  }

  void take_ciphertext(Buffer& into) override {
    char* data = nullptr;
    const long size = BIO_get_mem_data(to_peer_, &data);
    if (size <= 0) return;
    const BytesView bytes = as_bytes({data, static_cast<size_t>(size)});
    into.insert(into.end(), bytes.begin(), bytes.end());
    BIO_reset(to_peer_);
  }

  bool handshake_done() const override { return SSL_is_init_finished(ssl_.get()) == 1; }

  Result<> put_plain(BytesView bytes) override {
    CHECK(handshake_done(), "plain bytes are for after the handshake");
    if (failed_) return std::unexpected(*failed_);
    while (!bytes.empty()) {
      size_t written = 0;
      ERR_clear_error();
      if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1)
        return std::unexpected(remember_failure());
      bytes = bytes.subspan(written);
    }
    return {};
  }

  Result<size_t> take_plain(MutableBytes into) override {
    if (failed_) return std::unexpected(*failed_);
    if (!handshake_done() || into.empty()) return 0;
    size_t read = 0;
    ERR_clear_error();
    const int status = SSL_read_ex(ssl_.get(), into.data(), into.size(), &read);
    if (status == 1) return read;
    switch (SSL_get_error(ssl_.get(), status)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return 0;
      case SSL_ERROR_ZERO_RETURN:
        return fail(ErrorCode::kClosed, "the peer ended the TLS connection");
      default:
        return std::unexpected(remember_failure());
    }
  }

  void shut_down() override {
    if (!failed_ && handshake_done()) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

 private:
  // Called when a server asks for a certificate of ours.
  static int remember_request(SSL* /*ssl*/, void* engine) {
    static_cast<OpensslEngine*>(engine)->asked_for_certificate_ = true;
    return 1;
  }

  // The connection is of no use any more: every further call ends with the same error.
  Error remember_failure() {
    failed_ = failure();
    ERR_clear_error();
    return *failed_;
  }

  Error failure() const {
    const unsigned long code = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) != ERR_LIB_SSL)
      return {ErrorCode::kInvalid, fmt::format("TLS failed: {}", take_openssl_error())};
    switch (reason) {
      case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return {ErrorCode::kDenied, certificate_refusal()};
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
      case SSL_R_UNKNOWN_PROTOCOL:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
      case SSL_R_RECORD_TOO_SMALL:
        if (!handshake_done())
          return {ErrorCode::kInvalid, "the peer does not speak TLS; is its listener for plaintext?"};
        break;
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return {ErrorCode::kDenied, "the TLS handshake failed: no TLS version is common to both sides"};
      case SSL_R_NO_SHARED_CIPHER:
        return {ErrorCode::kDenied, "the TLS handshake failed: no cipher suite is common to both sides"};
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return {ErrorCode::kDenied, "the TLS handshake failed: the peer showed no certificate"};
      default:
        break;
    }
    const bool alert = reason >= SSL_AD_REASON_OFFSET;
    if (alert && asked_for_certificate_ && SSL_get_certificate(ssl_.get()) == nullptr)
      return {ErrorCode::kDenied, fmt::format("the peer wants a certificate of ours ({}): set ssl.keystore.location",
                                              take_openssl_error())};
    return {alert || !handshake_done() ? ErrorCode::kDenied : ErrorCode::kInvalid,
            fmt::format("{}: {}", alert ? "the peer refused the TLS connection" : "the TLS connection failed",
                        take_openssl_error())};
  }

  std::string certificate_refusal() const {
    const long why = SSL_get_verify_result(ssl_.get());
    // The chain as sent: the certificate itself may not count as the peer's yet.
    const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_.get());
    X509* certificate = chain != nullptr && sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : nullptr;
    if ((why == X509_V_ERR_HOSTNAME_MISMATCH || why == X509_V_ERR_IP_ADDRESS_MISMATCH) && certificate != nullptr)
      return fmt::format("the peer's certificate is for {}, not for {}", fmt::join(subjects_of(certificate), ", "),
                         host_);
    return fmt::format("the peer's certificate is refused: {}", X509_verify_cert_error_string(why));
  }

  std::shared_ptr<TlsContext> context_;
  std::string host_;
  SslPtr ssl_;
  BIO* from_peer_ = nullptr;
  BIO* to_peer_ = nullptr;
  bool asked_for_certificate_ = false;
  std::optional<Error> failed_;
};

}  // namespace

std::unique_ptr<TlsEngine> TlsEngine::client(std::shared_ptr<TlsContext> context, const std::string& host,
                                             bool verify_host) {
  auto engine = std::make_unique<OpensslEngine>(std::move(context), host);
  engine->begin_as_client(verify_host);
  return engine;
}

std::unique_ptr<TlsEngine> TlsEngine::server(std::shared_ptr<TlsContext> context, ClientCertificate wanted) {
  auto engine = std::make_unique<OpensslEngine>(std::move(context), "");
  engine->begin_as_server(wanted);
  return engine;
}

}  // namespace barnabas::security
