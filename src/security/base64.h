// Base64 as RFC 4648 has it, with padding: how SCRAM writes bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace barnabas::security {

std::string to_base64(BytesView bytes);
std::optional<Buffer> from_base64(std::string_view text);

}  // namespace barnabas::security
