#include "client/connection_tls.h"

#include <gmock/gmock.h>

#include "client/testing/client_test.h"
#include "net/testing/memory_stream.h"
#include "security/testing/certificates.h"

namespace barnabas::client {
namespace {

using net::testing::Wire;
using security::TlsContext;
using security::TlsEngine;

// The other end of the wire.
struct Server {
  std::unique_ptr<TlsEngine> engine;
  std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  std::string received;

  // Takes what the client sent, and sends what TLS answers. True if something happened.
  bool pump() {
    bool did = !wire->sent.empty();
    if (did) {
      auto taken = engine->put_ciphertext(as_bytes(std::exchange(wire->sent, {})));
      EXPECT_TRUE(taken.has_value()) << taken.error().message;
      Buffer plain(4096);
      for (auto got = engine->take_plain(plain); got && *got > 0; got = engine->take_plain(plain)) {
        received += as_text(BytesView(plain).first(*got));
      }
    }
    Buffer out;
    engine->take_ciphertext(out);
    if (!out.empty()) wire->send(as_text(out));
    return did || !out.empty();
  }
  void say(std::string_view text) { ASSERT_TRUE(engine->put_plain(as_bytes(text)).has_value()); }
};

class TlsStreamTest : public testing::ClientTest {
 protected:
  TlsStreamTest() {
    auto certificate = security::testing::make_certificate({.hosts = {"broker"}});
    auto server = TlsContext::create({.key_store = certificate.both(), .key_store_type = "PEM"});
    auto client = TlsContext::create({.trust = certificate.certificate, .trust_type = "PEM"});
    EXPECT_TRUE(server.has_value() && client.has_value());
    server_.engine = TlsEngine::server(*server, TlsEngine::ClientCertificate::kNotAsked);
    stream_ = std::make_unique<TlsStream>(std::make_unique<net::testing::MemoryStream>(loop_, server_.wire),
                                          TlsEngine::client(*client, "broker", true));
  }

  void work() {
    bool more = true;
    while (more) {
      settle();
      more = server_.pump();
    }
  }
  void shake_hands() {
    auto done = start(stream_->shake_hands({}));
    work();
    ASSERT_TRUE(done->has_value());
    ASSERT_TRUE((*done)->has_value()) << (*done)->error().message;
  }

  Server server_;
  std::unique_ptr<TlsStream> stream_;
};

TEST_F(TlsStreamTest, PlainBytesGoBothWays) {
  shake_hands();
  auto text = Payload::view(as_bytes("hello"));
  EXPECT_EQ(stream_->try_write({&text, 1}, 0), 5u);
  EXPECT_EQ(server_.wire->sent.find("hello"), std::string::npos) << "in clear";
  work();
  EXPECT_EQ(server_.received, "hello");
  server_.say("world");
  work();
  Buffer got(100);
  EXPECT_EQ(stream_->try_read(got), 5u);
  EXPECT_EQ(as_text(BytesView(got).first(5)), "world");
  EXPECT_EQ(stream_->try_read(got), 0u);
}

TEST_F(TlsStreamTest, ASlowPeerGetsEveryByteOnce) {
  shake_hands();
  std::string first(70'000, 'a');
  std::string second(150'000, 'b');
  std::vector<Payload> parts{Payload::view(as_bytes(first)), Payload::view(as_bytes("|")),
                             Payload::view(as_bytes(second))};
  uint64_t total = first.size() + 1 + second.size();
  server_.wire->window = 0;
  uint64_t written = 0;
  int rounds = 0;
  while (written < total) {
    auto wrote = stream_->try_write(parts, written);
    ASSERT_TRUE(wrote.has_value());
    written += *wrote;
    server_.wire->take(1000);
    work();
    ASSERT_LT(++rounds, 10'000);
  }
  EXPECT_EQ(server_.received, first + "|" + second) << "what is told as written is with the peer";
}

TEST_F(TlsStreamTest, LargeAnswersComeInPieces) {
  shake_hands();
  std::string text(300'000, 'x');
  server_.say(text);
  work();
  std::string got;
  Buffer piece(7777);
  while (true) {
    auto read = stream_->try_read(piece);
    ASSERT_TRUE(read.has_value());
    if (*read == 0) break;
    got += as_text(BytesView(piece).first(*read));
  }
  EXPECT_EQ(got, text);
}

TEST_F(TlsStreamTest, ThePeersGoodbyeIsTheEndOfTheStream) {
  shake_hands();
  server_.engine->shut_down();
  work();
  Buffer into(10);
  auto got = stream_->try_read(into);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, barnabas::ErrorCode::kClosed);
}

TEST_F(TlsStreamTest, ClosingSaysGoodbye) {
  shake_hands();
  stream_->close();
  EXPECT_TRUE(server_.wire->closed);
  Buffer into(10);
  ASSERT_TRUE(server_.engine->put_ciphertext(as_bytes(server_.wire->sent)).has_value());
  auto got = server_.engine->take_plain(into);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, barnabas::ErrorCode::kClosed);
}

TEST_F(TlsStreamTest, APeerThatSpeaksSomethingElseIsFoundOut) {
  auto done = start(stream_->shake_hands({}));
  settle();
  server_.wire->send("HTTP/1.1 400 Bad Request\r\n\r\n");
  settle();
  ASSERT_TRUE(done->has_value());
  ASSERT_FALSE((*done)->has_value());
  EXPECT_EQ((*done)->error().code, barnabas::ErrorCode::kInvalid);
}

}  // namespace
}  // namespace barnabas::client
