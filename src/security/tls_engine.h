// TlsEngine: one end of a TLS connection, without a socket: ciphertext in and out on one side, plain bytes on the
// other. TLS 1.2 and 1.3. A TlsContext is made once from PEM or PKCS12 material and shared by engines.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace barnabas::security {

struct TlsFiles {
  // Formats as Kafka names them: PEM or PKCS12 ("" is guessed from the content); JKS is kUnsupported, with a sentence
  // that says how to convert it. Material is read by the caller: these are contents, not paths.
  std::string trust, trust_type, trust_password;                            // empty trust: the system's certificates
  std::string key_store, key_store_type, key_store_password, key_password;  // empty: no certificate of our own
  std::vector<std::string> protocols;                                       // "TLSv1.3", "TLSv1.2"; empty: both
  std::vector<std::string> cipher_suites;  // IANA names as Java has them; empty: OpenSSL's
};

class TlsContext {
 public:
  // kInvalid says which part is wrong (file is no PEM, wrong password, key and certificate do not match).
  static Result<std::shared_ptr<TlsContext>> create(const TlsFiles& files);
  virtual ~TlsContext() = default;
};

class TlsEngine {
 public:
  // `host` is sent as SNI and, with verify_host, must match the certificate.
  static std::unique_ptr<TlsEngine> client(std::shared_ptr<TlsContext> context, const std::string& host,
                                           bool verify_host);
  // The other end. A client that shows a certificate must show one that `context` trusts.
  enum class ClientCertificate { kNotAsked, kWanted, kRequired };
  static std::unique_ptr<TlsEngine> server(std::shared_ptr<TlsContext> context, ClientCertificate wanted);
  virtual ~TlsEngine() = default;

  // Takes what came from the peer; there may be an answer to take_ciphertext(), also after an error. kDenied:
  // certificate or handshake refused (the sentence names why); kInvalid: no TLS.
  virtual Result<> put_ciphertext(BytesView bytes) = 0;
  // Appends what is to be sent to the peer; may be empty.
  virtual void take_ciphertext(Buffer& into) = 0;
  virtual bool handshake_done() const = 0;
  // Only after the handshake.
  virtual Result<> put_plain(BytesView bytes) = 0;
  // Moves decrypted bytes to `into`; 0 = none now. kClosed after the peer's close_notify.
  virtual Result<size_t> take_plain(MutableBytes into) = 0;
  // Says that no more plain bytes will come; take_ciphertext() has it.
  virtual void shut_down() = 0;
};

}  // namespace barnabas::security
