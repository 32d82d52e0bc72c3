// What the broker reads of a consumer's JoinGroup metadata (ConsumerProtocolSubscription): only the topics it names.
// The rest is between the members.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace barnabas::group {

// The topics of a subscription, of any version; nothing if the bytes are not one.
std::optional<std::vector<std::string>> subscribed_topics(BytesView metadata);

}  // namespace barnabas::group
