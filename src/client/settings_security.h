// The security part of settings: who we are (SASL) and whom we trust (TLS).
#pragma once

#include <string>
#include <string_view>

#include "client/settings.h"
#include "client/settings_values.h"

namespace barnabas::client {

// One entry of sasl.jaas.config: "org.apache.kafka…PlainLoginModule required username="a" password="b";".
struct JaasEntry {
  std::string module;
  std::map<std::string, std::string, std::less<>> options;
};
Result<JaasEntry> parse_jaas(std::string_view text);

Result<> read_security(const Values& values, ClientSettings& into);

}  // namespace barnabas::client
