#include "security/sasl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "security/base64.h"
#include "security/prepared_text.h"
#include "security/scram.h"

namespace barnabas::security {
namespace {

using testing::HasSubstr;

// The client's nonce of RFC 5802 and RFC 7677, as the bytes whose base64 it is.
constexpr std::string_view kNonce = "rOprNGfwEbeRWgbNEkqO";

std::unique_ptr<SaslClient> client(std::string_view mechanism, SaslCredentials credentials = {"user", "pencil"}) {
  auto made = SaslClient::create(mechanism, std::move(credentials), *from_base64(kNonce));
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return *std::move(made);
}

std::string said(Result<Buffer> token) {
  return token ? std::string(as_text(*token)) : "error: " + token.error().message;
}

TEST(SaslPlain, SendsNameAndPasswordAndEndsWithTheServersEmptyAnswer) {
  const auto plain = client("PLAIN", {"tim", "tän,=ruf"});
  EXPECT_EQ(as_text(plain->first()), std::string_view("\0tim\0tän,=ruf", 14));
  EXPECT_FALSE(plain->complete());
  EXPECT_EQ(said(plain->next({})), "");
  EXPECT_TRUE(plain->complete());
  EXPECT_THAT(said(plain->next({})), HasSubstr("nothing more to say"));
}

TEST(SaslPlain, RefusesWhatCannotBeSent) {
  EXPECT_FALSE(SaslClient::create("PLAIN", {std::string("a\0b", 3), "p"}, {}).has_value());
  EXPECT_FALSE(SaslClient::create("PLAIN", {"", "p"}, {}).has_value());
  EXPECT_FALSE(SaslClient::create("PLAIN", {"a", "\xff"}, {}).has_value());
}

TEST(Sasl, AnUnknownMechanismNamesThoseThereAre) {
  const auto made = SaslClient::create("GSSAPI", {"a", "b"}, {});
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(made.error().message, HasSubstr("GSSAPI is not supported: there are PLAIN"));
}

TEST(Scram, Sha256IsThatOfRfc7677) {
  const auto scram = client("SCRAM-SHA-256");
  EXPECT_EQ(as_text(scram->first()), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(said(scram->next(as_bytes("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                      "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_FALSE(scram->complete());
  EXPECT_EQ(said(scram->next(as_bytes("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="))), "");
  EXPECT_TRUE(scram->complete());
}

// Computed with Python's hashlib.
TEST(Scram, Sha512TakesNamesAndPasswordsThatNeedCare) {
  const auto scram = client("SCRAM-SHA-512", {"a=b,c", "pässword"});
  EXPECT_EQ(as_text(scram->first()), "n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(
      said(scram->next(as_bytes("r=rOprNGfwEbeRWgbNEkqO3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92QSXCR+Q6sek8bf92,"
                                "i=8192"))),
      "c=biws,r=rOprNGfwEbeRWgbNEkqO3rfcNHYJY1ZVvWVs7j,p=2geWBJeXw/X8SMoNf+vd35Hm9J3DN9y9XyR5o59HLHgjTGjNwZCrZkddA4"
      "xU2GaooZTRRCCsQ3GV7qf+upGTIA==");
  EXPECT_EQ(said(scram->next(as_bytes("v=VfFCpr17KQRo4b06rlnX/m+Pc64iIaIg31qCBB/lZSqhfbLOwGqumO2QHCH29A+aOoqrj6hg1SV5W7"
                                      "eEbjeVxg==,extension=x"))),
            "");
  EXPECT_TRUE(scram->complete());
}

TEST(Scram, RefusesAServerThatDoesNotKnowThePassword) {
  const auto scram = client("SCRAM-SHA-256");
  ASSERT_TRUE(scram->next(as_bytes("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")).has_value());
  const auto answer = scram->next(as_bytes("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kDenied);
  EXPECT_FALSE(scram->complete());
}

TEST(Scram, PassesOnWhyTheServerRefused) {
  const auto scram = client("SCRAM-SHA-256");
  ASSERT_TRUE(scram->next(as_bytes("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")).has_value());
  const auto answer = scram->next(as_bytes("e=invalid-proof"));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kDenied);
  EXPECT_THAT(answer.error().message, HasSubstr("invalid-proof"));
}

TEST(Scram, RefusesMessagesThatAreNone) {
  for (const char* message :
       {"", "r=", "x", "r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=4096", "r=other,s=AAAA,i=4096", "m=x,r=rOprNGfwEbeRWgbNEkqOx",
        "r=rOprNGfwEbeRWgbNEkqOx,s=A,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=4095", "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=2000000000",
        "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=-1", "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=", "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA"}) {
    const auto scram = client("SCRAM-SHA-256");
    EXPECT_FALSE(scram->next(as_bytes(message)).has_value()) << message;
    EXPECT_FALSE(scram->complete());
  }
}

TEST(Scram, RefusesNamesAndPasswordsThatSaslForbids) {
  const auto refusal = [](SaslCredentials credentials) {
    auto made = SaslClient::create("SCRAM-SHA-256", std::move(credentials), *from_base64(kNonce));
    return made ? "none" : made.error().message;
  };
  EXPECT_EQ(refusal({"a\tb", "p"}), "the user name contains the character U+0009, which SASL forbids");
  EXPECT_EQ(refusal({"a", "\xef\xbf\xbd"}), "the password contains the character U+FFFD, which SASL forbids");
  EXPECT_EQ(refusal({"a", "\xc0\x80"}), "the password is not UTF-8");
  EXPECT_EQ(refusal({"", "p"}), "the user name is empty");
  EXPECT_EQ(refusal({"ünïcode", "пароль 密码"}), "none");
}

TEST(Base64, GoesBothWays) {
  for (const auto& [plain, text] :
       {std::pair("", ""), {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}}) {
    EXPECT_EQ(to_base64(as_bytes(plain)), text);
    EXPECT_EQ(as_text(*from_base64(text)), plain);
  }
  for (const char* bad : {"Z", "Zg=", "Z===", "====", "Zg=v", "Zm9 "})
    EXPECT_FALSE(from_base64(bad).has_value()) << bad;
}

}  // namespace
}  // namespace barnabas::security
