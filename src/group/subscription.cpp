#include "group/subscription.h"

#include <algorithm>

#include "wire/messages/consumer_protocol_subscription.h"
#include "wire/reader.h"

namespace barnabas::group {

std::optional<std::vector<std::string>> subscribed_topics(BytesView metadata) {
  using wire::ConsumerProtocolSubscription;
  wire::Reader reader(metadata);
  int16_t version = reader.int16();
  if (reader.failed() || version < ConsumerProtocolSubscription::kMinVersion) return std::nullopt;
  // A newer client only adds fields behind those of the highest version known here.
  version = std::min(version, ConsumerProtocolSubscription::kMaxVersion);
  auto subscription = ConsumerProtocolSubscription::decode(reader, version);
  if (!subscription) return std::nullopt;
  return std::move(subscription->topics);
}

}  // namespace barnabas::group
