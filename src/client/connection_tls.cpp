#include "client/connection_tls.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace barnabas::client {

namespace {
// Of ciphertext read, and of plain bytes encrypted, in one go: a few TLS records.
constexpr size_t kReceiveBytes = 64 << 10;
constexpr size_t kEncryptBytes = 64 << 10;
}  // namespace

barnabas::Result<bool> TlsStream::send_ciphertext() {
  while (true) {
    if (sent_ == unsent_.size()) {
      unsent_.clear();
      sent_ = 0;
      engine_->take_ciphertext(unsent_);
      if (unsent_.empty()) return true;
    }
    Payload part = Payload::view(unsent_);
    auto wrote = wire_->try_write({&part, 1}, sent_);
    if (!wrote) return std::unexpected(wrote.error());
    if (*wrote == 0) return false;
    sent_ += *wrote;
  }
}

barnabas::Result<bool> TlsStream::receive_ciphertext() {
  received_.resize(kReceiveBytes);
  TRY_ASSIGN(size_t got, wire_->try_read(received_));
  if (got == 0) return false;
  auto taken = engine_->put_ciphertext(BytesView(received_).first(got));
  if (!taken) {
    // The alert that says why goes out before the connection ends.
    (void)send_ciphertext();
    return std::unexpected(taken.error());
  }
  return true;
}

runtime::Task<barnabas::Result<>> TlsStream::shake_hands(runtime::CancelToken token) {
  while (true) {
    auto all_sent = send_ciphertext();
    if (!all_sent) co_return std::unexpected(all_sent.error());
    if (!*all_sent) {
      auto ready = co_await wire_->writable(token);
      if (!ready) co_return ready;
      continue;
    }
    if (engine_->handshake_done()) co_return barnabas::Result<>{};
    auto got = receive_ciphertext();
    if (!got) co_return std::unexpected(got.error());
    if (*got) continue;
    auto ready = co_await wire_->readable(token);
    if (!ready) co_return ready;
  }
}

barnabas::Result<size_t> TlsStream::try_read(MutableBytes into) {
  while (true) {
    TRY_ASSIGN(size_t plain, engine_->take_plain(into));
    if (plain > 0) return plain;
    TRY_ASSIGN(bool more, receive_ciphertext());
    if (!more) return 0;
    // What TLS itself has to say to that (a new key) may wait for the next write if it must.
    TRY(send_ciphertext());
  }
}

barnabas::Result<size_t> TlsStream::try_write(std::span<const Payload> parts, uint64_t skip) {
  size_t total = 0;
  while (true) {
    TRY_ASSIGN(bool all_sent, send_ciphertext());
    if (!all_sent) return total;
    total += std::exchange(encrypted_plain_, 0);
    // The next bytes not yet written.
    uint64_t at = skip + total;
    size_t budget = kEncryptBytes;
    for (const Payload& part : parts) {
      if (at >= part.size()) {
        at -= part.size();
        continue;
      }
      CHECK(!part.is_file(), "a client sends memory");
      BytesView bytes = part.bytes.subspan(at);
      at = 0;
      bytes = bytes.first(std::min(bytes.size(), budget));
      TRY(engine_->put_plain(bytes));
      encrypted_plain_ += bytes.size();
      budget -= bytes.size();
      if (budget == 0) break;
    }
    if (encrypted_plain_ == 0) return total;
  }
}

void TlsStream::close() {
  // Said if the kernel takes it: the peer then knows that nothing was cut off.
  engine_->shut_down();
  (void)send_ciphertext();
  wire_->close();
}

}  // namespace barnabas::client
