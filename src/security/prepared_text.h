// User names and passwords as SASL lets them be. Kafka sends and stores them as they are, in UTF-8, so nothing is
// mapped or normalised here (RFC 4013 would); what RFC 4013 forbids is refused.
#pragma once

#include <string_view>

#include "base/result.h"

namespace barnabas::security {

bool is_utf8(std::string_view text);

// kInvalid names `what` ("the password") and the character that may not be in it.
Result<> check_prepared(std::string_view what, std::string_view text);

}  // namespace barnabas::security
