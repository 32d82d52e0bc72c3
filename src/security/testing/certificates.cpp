#include "security/testing/certificates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "security/openssl_types.h"

namespace barnabas::security::testing {
namespace {

using Pkcs12Ptr = std::unique_ptr<PKCS12, OpensslDeleter<PKCS12_free>>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

template <class Write>
std::string written(Write write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(write(bio.get()) == 1, "writing to memory");
  return text_of(bio.get());
}

CertificatePtr read_certificate(const std::string& pem) {
  const BioPtr bio = read_only_bio(pem);
  return CertificatePtr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

KeyPtr read_key(const std::string& pem) {
  const BioPtr bio = read_only_bio(pem);
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  CHECK(extension != nullptr, "an extension that OpenSSL knows");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string alternative_names(const std::vector<std::string>& hosts) {
  std::vector<std::string> names;
  for (const std::string& host : hosts) {
    const bool address =
        host.find_first_not_of("0123456789.") == std::string::npos || host.find(':') != std::string::npos;
    names.push_back((address ? "IP:" : "DNS:") + host);
  }
  return fmt::format("{}", fmt::join(names, ","));
}

std::string write_pkcs12(EVP_PKEY* key, X509* certificate, STACK_OF(X509) * others, const std::string& password) {
  const Pkcs12Ptr store(PKCS12_create(password.c_str(), "test", key, certificate, others, 0, 0, 0, 0, 0));
  CHECK(store != nullptr, "a PKCS12 store");
  return written([&](BIO* bio) { return i2d_PKCS12_bio(bio, store.get()); });
}

}  // namespace

TestCertificate make_certificate(const CertificateOptions& options) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  static_assert(sizeof(long) == 8);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()),
                   static_cast<long>(std::hash<std::string>{}(options.common_name) >> 1));
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), options.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), options.valid_until_s);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()), -1, -1, 0);
  if (!options.hosts.empty()) add_extension(certificate.get(), NID_subject_alt_name, alternative_names(options.hosts));
  if (options.authority) add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  if (options.issuer != nullptr) {
    const CertificatePtr issuer = read_certificate(options.issuer->certificate);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
    X509_sign(certificate.get(), read_key(options.issuer->key).get(), EVP_sha256());
  } else {
    X509_set_issuer_name(certificate.get(), name);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
  }
  return {.certificate = written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); }),
          .key = written([&](BIO* bio) {
            return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

std::string make_pkcs12(const TestCertificate& identity, const std::string& password) {
  return write_pkcs12(read_key(identity.key).get(), read_certificate(identity.certificate).get(), nullptr, password);
}

std::string make_pkcs12_trust(const std::string& certificate_pem, const std::string& password) {
  const CertificatePtr certificate = read_certificate(certificate_pem);
  STACK_OF(X509)* others = sk_X509_new_null();
  sk_X509_push(others, certificate.get());
  std::string store = write_pkcs12(nullptr, nullptr, others, password);
  sk_X509_free(others);
  return store;
}

std::string encrypt_key(const std::string& key_pem, const std::string& password) {
  const KeyPtr key = read_key(key_pem);
  return written([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), EVP_aes_256_cbc(), password.data(),
                                         static_cast<int>(password.size()), nullptr, nullptr);
  });
}

}  // namespace barnabas::security::testing
