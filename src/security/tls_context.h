// OpensslContext: the TlsContext there is.
#pragma once

#include "security/openssl_types.h"
#include "security/tls_engine.h"

namespace barnabas::security {

class OpensslContext : public TlsContext {
 public:
  explicit OpensslContext(SslContextPtr context) : context_(std::move(context)) {}
  SSL_CTX* get() const { return context_.get(); }

 private:
  SslContextPtr context_;
};

}  // namespace barnabas::security
