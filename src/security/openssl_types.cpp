#include "security/openssl_types.h"

#include <openssl/err.h>

#include "base/check.h"

namespace barnabas::security {

BioPtr read_only_bio(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(bio != nullptr, "a BIO over bytes in memory");
  return bio;
}

std::string take_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

}  // namespace barnabas::security
