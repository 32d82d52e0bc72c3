#include "client/settings_security.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "client/settings_file.h"

namespace barnabas::client {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::unexpected<Error> wrong(std::string message) {
  return std::unexpected(config_error(std::move(message)));
}

// Words, quoted strings and the signs = and ;, as JAAS files have them.
class JaasTokens {
 public:
  explicit JaasTokens(std::string_view text) : rest_(text) {}

  // Absent at the end, or where a quote is not closed.
  std::optional<std::string> next() {
    while (!rest_.empty() && static_cast<unsigned char>(rest_[0]) <= ' ') rest_.remove_prefix(1);
    if (rest_.empty()) return std::nullopt;
    const char first = rest_[0];
    if (first == '"' || first == '\'') return quoted(first);
    if (first == '=' || first == ';') {
      rest_.remove_prefix(1);
      return std::string(1, first);
    }
    const size_t end = std::min(rest_.find_first_of("=;\"' \t\r\n"), rest_.size());
    std::string word(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return word;
  }

 private:
  std::optional<std::string> quoted(char quote) {
    std::string text;
    for (size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == quote) {
        rest_.remove_prefix(at + 1);
        return text;
      }
      if (rest_[at] == '\\' && at + 1 < rest_.size()) {
        const char c = rest_[++at];
        text += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      } else {
        text += rest_[at];
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

constexpr std::string_view kMechanisms = "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512";

Result<> read_sasl(const Values& values, SaslSettings& sasl) {
  sasl.mechanism = values.text("sasl.mechanism");
  if (sasl.mechanism.empty()) return wrong(fmt::format("sasl.mechanism is empty: set it to {}", kMechanisms));
  if (sasl.mechanism != "PLAIN" && sasl.mechanism != "SCRAM-SHA-256" && sasl.mechanism != "SCRAM-SHA-512") {
    const char* why = values.has("sasl.mechanism") ? "" : " (the default)";
    return wrong(fmt::format("sasl.mechanism {}{} is not supported: set it to {}", sasl.mechanism, why, kMechanisms));
  }
  if (values.has("sasl.jaas.config")) {
    TRY_ASSIGN(JaasEntry entry, parse_jaas(values.text("sasl.jaas.config")));
    const std::string_view wanted = sasl.mechanism == "PLAIN" ? "PlainLoginModule" : "ScramLoginModule";
    const std::string_view module = std::string_view(entry.module).substr(entry.module.rfind('.') + 1);
    if (module != wanted)
      return wrong(fmt::format("sasl.jaas.config names {}, but sasl.mechanism {} needs {}", entry.module,
                               sasl.mechanism, wanted));
    sasl.username = entry.options["username"];
    sasl.password = entry.options["password"];
  }
  if (const auto name = values.find("sasl.username")) sasl.username = *name;
  if (const auto password = values.find("sasl.password")) sasl.password = *password;
  if (sasl.username.empty())
    return wrong(
        fmt::format("security.protocol wants SASL but no user is named: set sasl.jaas.config to "
                    "org.apache.kafka.common.security.{} required username=\"…\" password=\"…\";",
                    sasl.mechanism == "PLAIN" ? "plain.PlainLoginModule" : "scram.ScramLoginModule"));
  return {};
}

// The user's, or "" where only a default says it: then the content tells.
std::string store_type(const Values& values, std::string_view name) {
  return values.has(name) ? upper(values.text(name)) : "";
}

Result<> check_store(std::string_view what, const std::string& type, const std::string& location, bool inline_pem) {
  const std::string key = fmt::format("ssl.{}.type", what);
  if (!type.empty() && type != "PEM" && type != "PKCS12" && type != "JKS")
    return wrong(fmt::format("Invalid value {} for configuration {}: it must be PEM or PKCS12", type, key));
  if (inline_pem && !location.empty())
    return wrong(fmt::format("ssl.{0}.location and PEM text for the {0} are both set: leave one out", what));
  if (inline_pem && !type.empty() && type != "PEM")
    return wrong(fmt::format("{} must be PEM when the {} is given as text", key, what));
  return {};
}

Result<> read_tls(const Values& values, TlsSettings& tls) {
  tls.truststore_type = store_type(values, "ssl.truststore.type");
  tls.truststore_location = values.text("ssl.truststore.location");
  tls.truststore_password = values.text("ssl.truststore.password");
  tls.truststore_certificates = values.text("ssl.truststore.certificates");
  tls.keystore_type = store_type(values, "ssl.keystore.type");
  tls.keystore_location = values.text("ssl.keystore.location");
  tls.keystore_password = values.text("ssl.keystore.password");
  tls.keystore_certificate_chain = values.text("ssl.keystore.certificate.chain");
  tls.keystore_key = values.text("ssl.keystore.key");
  tls.key_password = values.text("ssl.key.password");
  tls.cipher_suites = values.list("ssl.cipher.suites");
  tls.enabled_protocols = values.list("ssl.enabled.protocols");
  for (const std::string& protocol : tls.enabled_protocols)
    if (protocol != "TLSv1.2" && protocol != "TLSv1.3")
      return wrong(
          fmt::format("Invalid value {} for configuration ssl.enabled.protocols: TLSv1.2 and TLSv1.3 are "
                      "supported",
                      protocol));
  const std::string algorithm = upper(values.text("ssl.endpoint.identification.algorithm"));
  if (!algorithm.empty() && algorithm != "HTTPS")
    return wrong("ssl.endpoint.identification.algorithm must be https, or empty to trust any host name");
  tls.verify_host_name = !algorithm.empty();
  TRY(check_store("truststore", tls.truststore_type, tls.truststore_location, !tls.truststore_certificates.empty()));
  if (tls.keystore_key.empty() != tls.keystore_certificate_chain.empty())
    return wrong("ssl.keystore.key and ssl.keystore.certificate.chain need each other");
  return check_store("keystore", tls.keystore_type, tls.keystore_location, !tls.keystore_key.empty());
}

Result<std::string> read_store(std::string_view key, const std::string& path) {
  auto content = read_settings_file(path);
  if (!content) return wrong(fmt::format("{} {}", key, content.error().message));
  if (content->empty()) return wrong(fmt::format("{} {} is empty", key, path));
  return content;
}

}  // namespace

Result<JaasEntry> parse_jaas(std::string_view text) {
  JaasTokens tokens(text);
  JaasEntry entry;
  const auto malformed = [](std::string_view what) {
    return wrong(
        fmt::format("sasl.jaas.config {}: write it as LoginModule required username=\"…\" password=\"…\";", what));
  };
  auto module = tokens.next();
  if (!module || *module == ";" || *module == "=") return malformed("names no login module");
  entry.module = *std::move(module);
  const auto flag = tokens.next();
  const std::string wanted = upper(flag.value_or(""));
  if (wanted != "REQUIRED" && wanted != "REQUISITE" && wanted != "SUFFICIENT" && wanted != "OPTIONAL")
    return malformed("has no 'required' after its login module");
  while (auto name = tokens.next()) {
    if (*name == ";") return entry;
    const auto equals = tokens.next();
    auto value = tokens.next();
    if (!equals || *equals != "=" || !value || *value == ";" || *value == "=")
      return malformed(fmt::format("has no value for '{}'", *name));
    entry.options.insert_or_assign(*std::move(name), *std::move(value));
  }
  return malformed("does not end with a semicolon, or a quote is not closed");
}

Result<> read_security(const Values& values, ClientSettings& into) {
  const std::string protocol = upper(values.text("security.protocol"));
  into.security = protocol == "SSL"              ? SecurityProtocol::kSsl
                  : protocol == "SASL_PLAINTEXT" ? SecurityProtocol::kSaslPlaintext
                  : protocol == "SASL_SSL"       ? SecurityProtocol::kSaslSsl
                                                 : SecurityProtocol::kPlaintext;
  const bool sasl = protocol.starts_with("SASL");
  const bool tls = protocol.ends_with("SSL");
  if (sasl) TRY(read_sasl(values, into.sasl));
  if (tls) TRY(read_tls(values, into.tls));
  return {};
}

Result<security::TlsFiles> read_tls_files(const TlsSettings& tls) {
  security::TlsFiles files;
  files.trust_type = tls.truststore_type;
  files.trust_password = tls.truststore_password;
  files.trust = tls.truststore_certificates;
  if (!tls.truststore_location.empty()) {
    TRY_ASSIGN(files.trust, read_store("ssl.truststore.location", tls.truststore_location));
  }
  files.key_store_type = tls.keystore_type;
  files.key_store_password = tls.keystore_password;
  files.key_password = tls.key_password;
  if (!tls.keystore_key.empty()) files.key_store = tls.keystore_certificate_chain + "\n" + tls.keystore_key;
  if (!tls.keystore_location.empty()) {
    TRY_ASSIGN(files.key_store, read_store("ssl.keystore.location", tls.keystore_location));
  }
  files.protocols = tls.enabled_protocols;
  files.cipher_suites = tls.cipher_suites;
  return files;
}

}  // namespace barnabas::client
