// Certificates for tests, made when asked for: no files, nothing that expires.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace barnabas::security::testing {

struct TestCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM, not encrypted
  std::string both() const { return key + certificate; }
};

struct CertificateOptions {
  std::string common_name = "test";
  std::vector<std::string> hosts = {"localhost"};   // names and addresses it is for
  const TestCertificate* issuer = nullptr;          // null: signed by itself
  bool authority = false;                           // may sign others
  int valid_from_s = -3600, valid_until_s = 86400;  // relative to now
};
TestCertificate make_certificate(const CertificateOptions& options);

std::string make_pkcs12(const TestCertificate& identity, const std::string& password);
// As keytool makes truststores: certificates without a key.
std::string make_pkcs12_trust(const std::string& certificate_pem, const std::string& password);
std::string encrypt_key(const std::string& key_pem, const std::string& password);

}  // namespace barnabas::security::testing
