// TlsStream: a Stream of plain bytes over one of ciphertext. What it was given to write counts as written once its
// ciphertext is with the kernel; until then the same bytes are offered again, as Stream's callers do.
#pragma once

#include <memory>

#include "runtime/stream.h"
#include "security/tls_engine.h"

namespace barnabas::client {

class TlsStream final : public runtime::Stream {
 public:
  TlsStream(std::unique_ptr<runtime::Stream> wire, std::unique_ptr<security::TlsEngine> engine)
      : wire_(std::move(wire)), engine_(std::move(engine)) {}

  // Before anything else. kDenied: refused by one side; kInvalid: the peer does not speak TLS.
  runtime::Task<barnabas::Result<>> shake_hands(runtime::CancelToken token);

  barnabas::Result<size_t> try_read(MutableBytes into) override;
  barnabas::Result<size_t> try_write(std::span<const Payload> parts, uint64_t skip) override;
  runtime::Task<barnabas::Result<>> readable(runtime::CancelToken token) override {
    return wire_->readable(std::move(token));
  }
  runtime::Task<barnabas::Result<>> writable(runtime::CancelToken token) override {
    return wire_->writable(std::move(token));
  }
  void close() override;
  const runtime::Endpoint& peer() const override { return wire_->peer(); }
  const runtime::Endpoint& local() const override { return wire_->local(); }

 private:
  // Sends what the engine has for the peer; true when all of it is with the kernel.
  barnabas::Result<bool> send_ciphertext();
  // Takes what came; false when there was nothing.
  barnabas::Result<bool> receive_ciphertext();

  std::unique_ptr<runtime::Stream> wire_;
  std::unique_ptr<security::TlsEngine> engine_;
  Buffer received_;
  Buffer unsent_;
  size_t sent_ = 0;             // of unsent_
  size_t encrypted_plain_ = 0;  // bytes whose ciphertext is in unsent_, not yet told of as written
};

}  // namespace barnabas::client
