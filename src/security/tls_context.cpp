#include "security/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "base/check.h"
#include "security/tls_material.h"

namespace barnabas::security {
namespace {

std::unexpected<Error> wrong(std::string message) {
  ERR_clear_error();
  return fail(ErrorCode::kInvalid, std::move(message));
}

Result<> set_protocols(SSL_CTX* context, const std::vector<std::string>& protocols) {
  int least = protocols.empty() ? TLS1_2_VERSION : TLS1_3_VERSION;
  int most = protocols.empty() ? TLS1_3_VERSION : TLS1_2_VERSION;
  for (const std::string& protocol : protocols) {
    if (protocol != "TLSv1.2" && protocol != "TLSv1.3")
      return wrong(fmt::format("TLS version {} is not supported: there are TLSv1.2 and TLSv1.3", protocol));
    const int version = protocol == "TLSv1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
    least = std::min(least, version);
    most = std::max(most, version);
  }
  SSL_CTX_set_min_proto_version(context, least);
  SSL_CTX_set_max_proto_version(context, most);
  return {};
}

// OpenSSL keeps the suites of TLS 1.3 apart from the older ones, which it calls by other names than Java.
Result<> set_cipher_suites(SSL_CTX* context, const std::vector<std::string>& suites) {
  if (suites.empty()) return {};
  std::string of_13, older;
  for (const std::string& suite : suites) {
    const bool is_13 = suite.starts_with("TLS_") && suite.find("_WITH_") == std::string::npos;
    const char* name = is_13 ? suite.c_str() : OPENSSL_cipher_name(suite.c_str());
    if (!is_13 && (name == nullptr || std::string_view(name) == "(NONE)"))
      return wrong(fmt::format("cipher suite {} is not known", suite));
    std::string& list = is_13 ? of_13 : older;
    if (!list.empty()) list += ':';
    list += name;
  }
  if (SSL_CTX_set_ciphersuites(context, of_13.c_str()) != 1)
    return wrong(fmt::format("one of the cipher suites {} is not known", of_13));
  if (!older.empty() && SSL_CTX_set_cipher_list(context, older.c_str()) != 1)
    return wrong(fmt::format("none of the cipher suites {} is there", older));
  // None that TLS 1.2 (or 1.3) could use: it must not be agreed on.
  if (older.empty()) SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (of_13.empty()) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  return {};
}

Result<> set_trust(SSL_CTX* context, const TlsFiles& files) {
  if (files.trust.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  TRY_ASSIGN(const auto certificates,
             read_trust("the truststore", files.trust, files.trust_type, files.trust_password));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const CertificatePtr& certificate : certificates)
    if (X509_STORE_add_cert(store, certificate.get()) != 1)
      return wrong(fmt::format("a certificate of the truststore cannot be used: {}", take_openssl_error()));
  // A certificate somebody trusts is trusted, whoever signed it: as in Java.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

Result<> set_identity(SSL_CTX* context, const TlsFiles& files) {
  if (files.key_store.empty()) return {};
  TRY_ASSIGN(const Identity identity,
             read_identity(files.key_store, files.key_store_type, files.key_store_password, files.key_password));
  if (SSL_CTX_use_certificate(context, identity.certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, identity.key.get()) != 1)
    return wrong(fmt::format("the certificate of the keystore cannot be used: {}", take_openssl_error()));
  for (const CertificatePtr& signer : identity.chain)
    if (SSL_CTX_add1_chain_cert(context, signer.get()) != 1)
      return wrong(fmt::format("a certificate of the keystore cannot be used: {}", take_openssl_error()));
  return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::create(const TlsFiles& files) {
  SslContextPtr context(SSL_CTX_new(TLS_method()));
  CHECK(context != nullptr, "OpenSSL gives a context");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  TRY(set_protocols(context.get(), files.protocols));
  TRY(set_cipher_suites(context.get(), files.cipher_suites));
  TRY(set_trust(context.get(), files));
  TRY(set_identity(context.get(), files));
  return std::make_shared<OpensslContext>(std::move(context));
}

}  // namespace barnabas::security
