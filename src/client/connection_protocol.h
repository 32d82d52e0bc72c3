// What a peer is that does not speak Kafka's protocol, told from its first bytes.
#pragma once

#include <string>

#include "base/bytes.h"

namespace barnabas::client {

// "the peer speaks HTTP, not Kafka"; what was seen, when it is nothing known.
std::string describe_foreign(BytesView first_bytes);

}  // namespace barnabas::client
