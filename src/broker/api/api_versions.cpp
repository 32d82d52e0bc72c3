// ApiVersions: what is served on this listener, and which feature levels the cluster runs with. Versions beyond ours
// are answered by the service itself, since their bodies cannot be read.

#include <algorithm>
#include <string_view>

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/service.h"
#include "metadata/features.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"

namespace barnabas::broker {

using wire::ApiVersionsRequest;
using wire::ApiVersionsResponse;
using wire::KafkaError;

namespace {

constexpr int16_t kSoftwareNamesFrom = 3;
// Older clients cannot read a range that begins with 0.
constexpr int16_t kZeroFeaturesFrom = 4;

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// KIP-511: [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
bool is_software_name(std::string_view text) {
  if (text.empty() || !alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
  return std::ranges::all_of(text, [](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

void add_features(ApiVersionsResponse& response, const metadata::Image& image, int16_t version) {
  for (const metadata::FeatureRange& feature : metadata::supported_features()) {
    if (feature.min == 0 && version < kZeroFeaturesFrom) continue;
    auto& row = response.supported_features.emplace_back();
    row.name = feature.name;
    row.min_version = feature.min;
    row.max_version = feature.max;
  }
  response.finalized_features_epoch = image.provenance().last_offset.value;
  auto finalized = [&response](std::string_view name, int16_t level) {
    if (level == 0) return;
    auto& row = response.finalized_features.emplace_back();
    row.name = name;
    row.min_version_level = level;
    row.max_version_level = level;
  };
  finalized(metadata::kKraftVersion, image.kraft_version());
  for (const auto& [name, level] : image.features()) finalized(name, level);
}

}  // namespace

runtime::Task<ApiVersionsResponse> handle(Caller& caller, ApiVersionsRequest request, Broker& broker) {
  ApiVersionsResponse response;
  if (caller.api_version >= kSoftwareNamesFrom) {
    bool valid = is_software_name(request.client_software_name) && is_software_name(request.client_software_version);
    if (!valid) {
      response.error_code = KafkaError::kInvalidRequest;
      co_return response;
    }
    caller.connection.client_software_name = std::move(request.client_software_name);
    caller.connection.client_software_version = std::move(request.client_software_version);
  }
  for (const ServedApi& api : served_apis(caller.on_controller ? ListenerKind::kController : ListenerKind::kBroker)) {
    auto& row = response.api_keys.emplace_back();
    row.api_key = api.key;
    row.min_version = api.advertised_min_version;
    row.max_version = api.max_version;
  }
  if (caller.api_version >= kSoftwareNamesFrom) {
    metadata::ImagePtr image = broker.image();
    add_features(response, *image, caller.api_version);
  }
  co_return response;
}

BARNABAS_API(ApiVersions)

}  // namespace barnabas::broker
