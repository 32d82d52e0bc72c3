#include "security/tls_material.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <cstring>

namespace barnabas::security {
namespace {

using Pkcs12Ptr = std::unique_ptr<PKCS12, OpensslDeleter<PKCS12_free>>;

std::unexpected<Error> wrong(std::string message) {
  ERR_clear_error();
  return fail(ErrorCode::kInvalid, std::move(message));
}

enum class Format { kPem, kPkcs12 };

Result<Format> format_of(std::string_view what, std::string_view content, std::string_view type) {
  constexpr std::string_view kJksMagic = "\xfe\xed\xfe\xed";
  constexpr std::string_view kJceksMagic = "\xce\xce\xce\xce";
  if (content.starts_with(kJksMagic) || content.starts_with(kJceksMagic))
    return fail(ErrorCode::kUnsupported,
                fmt::format("{} is a JKS file, which only Java reads; convert it: keytool -importkeystore -srckeystore "
                            "old.jks -destkeystore new.p12 -deststoretype PKCS12",
                            what));
  const bool pem = content.find("-----BEGIN ") != std::string_view::npos;
  if (type == "PEM" && !pem) return wrong(fmt::format("{} is not PEM: there is no -----BEGIN in it", what));
  if (type == "PEM" || (type.empty() && pem)) return Format::kPem;
  if (type == "JKS" && pem) return wrong(fmt::format("{} is PEM, not JKS; set its type to PEM", what));
  if (type == "PKCS12" && pem) return wrong(fmt::format("{} is PEM, not PKCS12; set its type to PEM", what));
  if (!content.starts_with('\x30')) return wrong(fmt::format("{} is neither PEM nor PKCS12", what));
  return Format::kPkcs12;
}

// The next certificate; null at the end of the text.
Result<CertificatePtr> next_pem_certificate(std::string_view what, BIO* bio) {
  CertificatePtr certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  if (certificate) return certificate;
  const unsigned long error = ERR_peek_last_error();
  const bool end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!end) return wrong(fmt::format("{} has a damaged certificate: {}", what, take_openssl_error()));
  ERR_clear_error();
  return CertificatePtr();
}

Result<std::vector<CertificatePtr>> pem_certificates(std::string_view what, std::string_view content) {
  const BioPtr bio = read_only_bio(content);
  std::vector<CertificatePtr> certificates;
  while (true) {
    TRY_ASSIGN(CertificatePtr certificate, next_pem_certificate(what, bio.get()));
    if (!certificate) break;
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) return wrong(fmt::format("{} has no certificate", what));
  return certificates;
}

// What OpenSSL asks for the password of an encrypted key. Without one it must not ask the terminal.
int give_password(char* into, int size, int /*writing*/, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.empty() || text.size() > static_cast<size_t>(size)) return -1;
  std::memcpy(into, text.data(), text.size());
  return static_cast<int>(text.size());
}

Result<KeyPtr> pem_key(std::string_view content, const std::string& password) {
  const BioPtr bio = read_only_bio(content);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, const_cast<std::string*>(&password)));
  if (key) return key;
  const bool encrypted = content.find("ENCRYPTED") != std::string_view::npos;
  if (content.find("PRIVATE KEY-----") == std::string_view::npos) return wrong("the keystore has no private key");
  if (encrypted && password.empty()) return wrong("the private key is encrypted and ssl.key.password is not set");
  if (encrypted) return wrong("the private key cannot be decrypted: is ssl.key.password right?");
  return wrong(fmt::format("the private key is damaged: {}", take_openssl_error()));
}

struct Pkcs12Content {
  KeyPtr key;
  CertificatePtr certificate;
  std::vector<CertificatePtr> others;
};

Result<Pkcs12Content> read_pkcs12(std::string_view what, std::string_view content, const std::string& password) {
  const BioPtr bio = read_only_bio(content);
  const Pkcs12Ptr store(d2i_PKCS12_bio(bio.get(), nullptr));
  if (!store) return wrong(fmt::format("{} is neither PEM nor PKCS12", what));
  if (PKCS12_verify_mac(store.get(), password.c_str(), static_cast<int>(password.size())) != 1)
    return wrong(fmt::format("the password of {} is wrong, or it is damaged", what));
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (PKCS12_parse(store.get(), password.c_str(), &key, &certificate, &others) != 1)
    return wrong(fmt::format("{} cannot be read: {}; stores made by old programs need to be made anew", what,
                             take_openssl_error()));
  Pkcs12Content read{.key = KeyPtr(key), .certificate = CertificatePtr(certificate), .others = {}};
  for (int at = 0; others != nullptr && at < sk_X509_num(others); ++at)
    read.others.emplace_back(sk_X509_value(others, at));
  sk_X509_free(others);  // its certificates are ours now
  ERR_clear_error();
  return read;
}

}  // namespace

Result<std::vector<CertificatePtr>> read_trust(std::string_view what, const std::string& content, std::string_view type,
                                               const std::string& password) {
  TRY_ASSIGN(const Format format, format_of(what, content, type));
  if (format == Format::kPem) return pem_certificates(what, content);
  TRY_ASSIGN(Pkcs12Content store, read_pkcs12(what, content, password));
  if (store.certificate) store.others.push_back(std::move(store.certificate));
  if (store.others.empty()) return wrong(fmt::format("{} has no certificate", what));
  return std::move(store.others);
}

Result<Identity> read_identity(const std::string& content, std::string_view type, const std::string& store_password,
                               const std::string& key_password) {
  constexpr std::string_view kWhat = "the keystore";
  TRY_ASSIGN(const Format format, format_of(kWhat, content, type));
  Identity identity;
  if (format == Format::kPem) {
    TRY_ASSIGN(identity.key, pem_key(content, key_password.empty() ? store_password : key_password));
    TRY_ASSIGN(identity.chain, pem_certificates(kWhat, content));
    identity.certificate = std::move(identity.chain.front());
    identity.chain.erase(identity.chain.begin());
  } else {
    TRY_ASSIGN(Pkcs12Content store, read_pkcs12(kWhat, content, store_password));
    if (!store.key || !store.certificate) return wrong("the keystore has no private key with a certificate");
    identity = {
        .key = std::move(store.key), .certificate = std::move(store.certificate), .chain = std::move(store.others)};
  }
  if (X509_check_private_key(identity.certificate.get(), identity.key.get()) != 1)
    return wrong("the private key and the first certificate of the keystore do not belong together");
  return identity;
}

}  // namespace barnabas::security
