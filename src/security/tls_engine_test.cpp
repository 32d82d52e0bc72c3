#include "security/tls_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "security/testing/certificates.h"

namespace barnabas::security {
namespace {

using ::testing::AllOf;
using testing::CertificateOptions;
using ::testing::HasSubstr;
using testing::make_certificate;
using testing::TestCertificate;
using ClientCertificate = TlsEngine::ClientCertificate;

std::shared_ptr<TlsContext> context(const TlsFiles& files) {
  auto made = TlsContext::create(files);
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return made ? *made : nullptr;
}

std::string refusal(const TlsFiles& files) {
  const auto made = TlsContext::create(files);
  return made ? "none" : made.error().message;
}

// Two engines and the wire between them.
struct Pair {
  std::unique_ptr<TlsEngine> client, server;
  Result<> client_status{}, server_status{};

  static Buffer taken(TlsEngine& engine) {
    Buffer bytes;
    engine.take_ciphertext(bytes);
    return bytes;
  }

  // Carries bytes, at most `piece` at a time, until both are silent or one has failed.
  void talk(size_t piece = SIZE_MAX) {
    while (client_status && server_status) {
      const Buffer there = taken(*client);
      const Buffer back = taken(*server);
      if (there.empty() && back.empty()) return;
      carry(there, *server, server_status, piece);
      carry(back, *client, client_status, piece);
    }
    carry(taken(*server), *client, client_status, piece);
    carry(taken(*client), *server, server_status, piece);
  }

  static void carry(const Buffer& bytes, TlsEngine& to, Result<>& status, size_t piece) {
    for (size_t at = 0; at < bytes.size() && status; at += piece)
      status = to.put_ciphertext(BytesView(bytes).subspan(at, std::min(piece, bytes.size() - at)));
  }

  bool ready() const { return client->handshake_done() && server->handshake_done(); }
};

std::string read_all(TlsEngine& engine) {
  std::string text;
  Buffer piece(1000);
  while (true) {
    const auto count = engine.take_plain(piece);
    if (!count) return text + "!" + count.error().message;
    if (*count == 0) return text;
    text += as_text(BytesView(piece).first(*count));
  }
}

struct TlsEngineTest : ::testing::Test {
  TestCertificate authority = make_certificate({.common_name = "authority", .hosts = {}, .authority = true});
  TestCertificate broker = make_certificate({.common_name = "broker",
                                             .hosts = {"broker.example", "*.kafka.example", "127.0.0.1", "::1"},
                                             .issuer = &authority});

  Pair connect(const TlsFiles& ours, const TlsFiles& theirs, const std::string& host = "broker.example",
               bool verify = true, ClientCertificate wanted = ClientCertificate::kNotAsked, size_t piece = SIZE_MAX) {
    Pair pair{.client = TlsEngine::client(context(ours), host, verify),
              .server = TlsEngine::server(context(theirs), wanted)};
    pair.talk(piece);
    return pair;
  }
  TlsFiles trusting() const { return {.trust = authority.certificate}; }
  TlsFiles serving() const { return {.trust = authority.certificate, .key_store = broker.both()}; }
};

TEST_F(TlsEngineTest, CarriesBytesBothWaysInEveryVersionAndInPiecesOfAnySize) {
  for (const char* version : {"TLSv1.2", "TLSv1.3"})
    for (const size_t piece : {size_t{1}, size_t{100}, SIZE_MAX}) {
      TlsFiles ours = trusting();
      ours.protocols = {version};
      Pair pair = connect(ours, serving(), "broker.example", true, ClientCertificate::kNotAsked, piece);
      ASSERT_TRUE(pair.ready()) << version;
      const std::string large(100000, 'x');
      ASSERT_TRUE(pair.client->put_plain(as_bytes("hello " + large)).has_value());
      ASSERT_TRUE(pair.server->put_plain(as_bytes("back")).has_value());
      pair.talk(piece);
      EXPECT_EQ(read_all(*pair.server), "hello " + large);
      EXPECT_EQ(read_all(*pair.client), "back");
    }
}

TEST_F(TlsEngineTest, TellsThatThePeerEnded) {
  Pair pair = connect(trusting(), serving());
  ASSERT_TRUE(pair.server->put_plain(as_bytes("last")).has_value());
  pair.server->shut_down();
  pair.talk();
  EXPECT_EQ(read_all(*pair.client), "last!the peer ended the TLS connection");
}

TEST_F(TlsEngineTest, ChecksTheHostName) {
  for (const char* host : {"broker.example", "BROKER.example", "a.kafka.example", "127.0.0.1", "::1"})
    EXPECT_TRUE(connect(trusting(), serving(), host).ready()) << host;
  for (const char* host : {"other.example", "a.b.kafka.example", "127.0.0.2", "kafka.example"}) {
    const Pair pair = connect(trusting(), serving(), host);
    ASSERT_FALSE(pair.client_status.has_value()) << host;
    EXPECT_EQ(pair.client_status.error().code, ErrorCode::kDenied);
    EXPECT_EQ(
        pair.client_status.error().message,
        "the peer's certificate is for broker.example, *.kafka.example, 127.0.0.1, ::1, not for " + std::string(host));
    EXPECT_FALSE(pair.server->handshake_done() && pair.server_status.has_value()) << "the server hears of it";
  }
  EXPECT_TRUE(connect(trusting(), serving(), "other.example", false).ready());
}

TEST_F(TlsEngineTest, RefusesCertificatesThatAreNotTrusted) {
  const auto client_error = [](const Pair& pair) {
    return pair.client_status ? "none" : pair.client_status.error().message;
  };
  const TestCertificate own = make_certificate({.hosts = {"broker.example"}});
  EXPECT_THAT(client_error(connect(trusting(), {.key_store = own.both()})),
              HasSubstr("refused: self-signed certificate"));
  EXPECT_TRUE(connect({.trust = own.certificate}, {.key_store = own.both()}).ready()) << "trusted itself";
  EXPECT_TRUE(connect({.trust = broker.certificate}, serving()).ready()) << "trusted without who signed it";
  const TestCertificate old = make_certificate(
      {.hosts = {"broker.example"}, .issuer = &authority, .valid_from_s = -200, .valid_until_s = -100});
  EXPECT_THAT(client_error(connect(trusting(), {.key_store = old.both()})), HasSubstr("certificate has expired"));
  const TestCertificate early =
      make_certificate({.hosts = {"broker.example"}, .issuer = &authority, .valid_from_s = 9000});
  EXPECT_THAT(client_error(connect(trusting(), {.key_store = early.both()})), HasSubstr("not yet valid"));
  const TestCertificate other = make_certificate({.common_name = "other", .hosts = {}, .authority = true});
  EXPECT_THAT(client_error(connect({.trust = other.certificate}, serving())), HasSubstr("certificate is refused: "));
  EXPECT_THAT(client_error(connect({}, serving())), HasSubstr("refused")) << "the system's do not have it";
}

TEST_F(TlsEngineTest, ServersMayAskForCertificates) {
  const TestCertificate client = make_certificate({.common_name = "client", .issuer = &authority});
  TlsFiles ours = trusting();
  Pair nameless = connect(ours, serving(), "broker.example", true, ClientCertificate::kRequired);
  ASSERT_FALSE(nameless.server_status.has_value());
  EXPECT_THAT(nameless.server_status.error().message, HasSubstr("the peer showed no certificate"));
  EXPECT_THAT(read_all(*nameless.client),
              AllOf(HasSubstr("the peer wants a certificate of ours"), HasSubstr("set ssl.keystore.location")));
  EXPECT_TRUE(connect(ours, serving(), "broker.example", true, ClientCertificate::kWanted).ready());
  ours.key_store = client.both();
  EXPECT_TRUE(connect(ours, serving(), "broker.example", true, ClientCertificate::kRequired).ready());
  ours.key_store = make_certificate({.common_name = "stranger"}).both();
  Pair stranger = connect(ours, serving(), "broker.example", true, ClientCertificate::kRequired);
  ASSERT_FALSE(stranger.server_status.has_value());
  EXPECT_EQ(stranger.server_status.error().code, ErrorCode::kDenied);
  EXPECT_THAT(read_all(*stranger.client), HasSubstr("the peer refused the TLS connection"));
}

TEST_F(TlsEngineTest, TellsAPeerThatDoesNotSpeakTls) {
  for (const std::string_view said : {std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n"),
                                      std::string_view("\0\0\0\x0a\0\0\0\x01\0\x23\0\0\0\0", 14)}) {
    const auto client = TlsEngine::client(context(trusting()), "broker.example", true);
    const auto status = client->put_ciphertext(as_bytes(said));
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(status.error().message, HasSubstr("does not speak TLS"));
    EXPECT_FALSE(client->put_ciphertext(as_bytes("more")).has_value()) << "and stays so";
  }
  const auto server = TlsEngine::server(context(serving()), ClientCertificate::kNotAsked);
  const auto status = server->put_ciphertext(as_bytes("GET / HTTP/1.1\r\n\r\n"));
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
}

TEST_F(TlsEngineTest, DamagedRecordsEndTheConnection) {
  Pair pair = connect(trusting(), serving());
  ASSERT_TRUE(pair.client->put_plain(as_bytes("hello")).has_value());
  Buffer bytes = Pair::taken(*pair.client);
  bytes.back() ^= std::byte{1};
  ASSERT_TRUE(pair.server->put_ciphertext(bytes).has_value());
  EXPECT_THAT(read_all(*pair.server), HasSubstr("!the TLS connection failed"));
}

TEST_F(TlsEngineTest, VersionsAndCipherSuitesMustHaveSomethingInCommon) {
  TlsFiles ours = trusting(), theirs = serving();
  ours.protocols = {"TLSv1.2"};
  theirs.protocols = {"TLSv1.3"};
  const Pair versions = connect(ours, theirs);
  EXPECT_THAT(versions.client_status.error().message, HasSubstr("no TLS version is common"));
  ours.protocols = {};
  theirs.protocols = {};
  ours.cipher_suites = {"TLS_AES_256_GCM_SHA384"};
  theirs.cipher_suites = {"TLS_AES_128_GCM_SHA256"};
  const Pair ciphers = connect(ours, theirs);
  EXPECT_THAT(ciphers.server_status.error().message, HasSubstr("no cipher suite is common"));
  theirs.cipher_suites = {"TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
  EXPECT_TRUE(connect(ours, theirs).ready());
  ours.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
  EXPECT_TRUE(connect(ours, theirs).ready());
}

TEST_F(TlsEngineTest, TakesPkcs12AndEncryptedKeys) {
  const TlsFiles ours{.trust = testing::make_pkcs12_trust(authority.certificate, "secret"), .trust_password = "secret"};
  const TlsFiles store{.key_store = testing::make_pkcs12(broker, "hidden"), .key_store_password = "hidden"};
  EXPECT_TRUE(connect(ours, store).ready());
  const TlsFiles encrypted{.key_store = broker.certificate + testing::encrypt_key(broker.key, "k"),
                           .key_password = "k"};
  EXPECT_TRUE(connect(ours, encrypted).ready());
}

TEST_F(TlsEngineTest, SaysWhichPartOfTheMaterialIsWrong) {
  EXPECT_THAT(refusal({.trust = "hello"}), HasSubstr("the truststore is neither PEM nor PKCS12"));
  EXPECT_THAT(refusal({.trust = "hello", .trust_type = "PEM"}), HasSubstr("the truststore is not PEM"));
  EXPECT_THAT(refusal({.trust = broker.key}), HasSubstr("the truststore has no certificate"));
  EXPECT_THAT(refusal({.trust = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}),
              HasSubstr("the truststore has a damaged certificate"));
  EXPECT_THAT(refusal({.trust = authority.certificate, .trust_type = "PKCS12"}), HasSubstr("PEM, not PKCS12"));
  EXPECT_THAT(refusal({.trust = std::string("\xfe\xed\xfe\xed\0\0\0\x02", 8), .trust_type = "JKS"}),
              HasSubstr("keytool -importkeystore"));
  EXPECT_THAT(refusal({.key_store = broker.certificate}), HasSubstr("the keystore has no private key"));
  EXPECT_THAT(refusal({.key_store = broker.key}), HasSubstr("the keystore has no certificate"));
  EXPECT_THAT(refusal({.key_store = broker.key + authority.certificate}), HasSubstr("do not belong together"));
  const std::string encrypted = broker.certificate + testing::encrypt_key(broker.key, "right");
  EXPECT_THAT(refusal({.key_store = encrypted}), HasSubstr("ssl.key.password is not set"));
  EXPECT_THAT(refusal({.key_store = encrypted, .key_password = "wrong"}), HasSubstr("is ssl.key.password right?"));
  const std::string store = testing::make_pkcs12(broker, "right");
  EXPECT_THAT(refusal({.key_store = store, .key_store_password = "wrong"}),
              HasSubstr("the password of the keystore is wrong"));
  EXPECT_THAT(refusal({.trust = store.substr(0, 100)}), HasSubstr("neither PEM nor PKCS12"));
  EXPECT_THAT(refusal({.cipher_suites = {"TLS_NOTHING_WITH_NOTHING"}}),
              HasSubstr("TLS_NOTHING_WITH_NOTHING is not known"));
  EXPECT_THAT(refusal({.protocols = {"SSLv3"}}), HasSubstr("SSLv3 is not supported"));
}

}  // namespace
}  // namespace barnabas::security
