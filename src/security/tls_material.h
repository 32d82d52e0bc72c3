// Certificates and keys out of PEM text or PKCS12 bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "security/openssl_types.h"

namespace barnabas::security {

// All certificates in `content`, at least one. `what` begins error sentences: "the truststore".
Result<std::vector<CertificatePtr>> read_trust(std::string_view what, const std::string& content, std::string_view type,
                                               const std::string& password);

struct Identity {
  KeyPtr key;
  CertificatePtr certificate;
  std::vector<CertificatePtr> chain;  // of those who signed it
};
// kInvalid also when the certificate is not the key's.
Result<Identity> read_identity(const std::string& content, std::string_view type, const std::string& store_password,
                               const std::string& key_password);

}  // namespace barnabas::security
