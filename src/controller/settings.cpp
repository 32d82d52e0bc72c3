// Feature levels and producer ids.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "controller/controller.h"
#include "metadata/features.h"
#include "wire/messages/allocate_producer_ids_request.h"
#include "wire/messages/allocate_producer_ids_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace barnabas::controller {

namespace {

using metadata::Image;
using Update = wire::UpdateFeaturesRequest::FeatureUpdateKey;

enum UpgradeType : int8_t { kUpgrade = 1, kSafeDowngrade = 2, kUnsafeDowngrade = 3 };

bool all_nodes_support(const Image& image, const std::string& name, int16_t level, std::string& who) {
  auto supports = [&](const std::vector<metadata::FeatureSupport>& features) {
    auto found = std::ranges::find(features, name, &metadata::FeatureSupport::name);
    return level == 0 || (found != features.end() && level >= found->min && level <= found->max);
  };
  for (const auto& [id, broker] : image.brokers()) {
    if (supports(broker.features)) continue;
    who = fmt::format("broker {}", id.value);
    return false;
  }
  for (const auto& [id, controller] : image.controllers()) {
    if (supports(controller.features)) continue;
    who = fmt::format("controller {}", id);
    return false;
  }
  return true;
}

std::optional<std::string> problem_with(const Image& image, const Update& update) {
  auto invalid = [&](std::string_view why) {
    return fmt::format("Invalid update version {} for feature {}. {}", update.max_version_level, update.feature, why);
  };
  auto type = static_cast<UpgradeType>(update.allow_downgrade ? int8_t{kSafeDowngrade} : update.upgrade_type);
  if (type < kUpgrade || type > kUnsafeDowngrade) return invalid("The upgrade type is unknown.");
  const metadata::FeatureRange* range = metadata::find_feature(update.feature);
  if (range == nullptr) return invalid("This controller does not know the feature.");
  const int16_t level = update.max_version_level;
  if (level < range->min || level > range->max) {
    return invalid(fmt::format("This controller only supports versions {}-{}.", range->min, range->max));
  }
  if (range->name == metadata::kKraftVersion && level != image.kraft_version()) {
    return invalid("kraft.version is changed by the quorum, which does not do so here yet.");
  }
  std::string who;
  if (!all_nodes_support(image, update.feature, level, who)) return invalid(who + " does not support this version.");
  const bool is_metadata = range->name == metadata::kMetadataVersion;
  const int16_t now = is_metadata ? image.metadata_version() : image.feature_level(update.feature);
  if (level > now && type != kUpgrade) return invalid("Can't upgrade the feature with a downgrade type.");
  if (level < now && type == kUpgrade) {
    return invalid(
        "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe "
        "downgrade.");
  }
  if (level < now && is_metadata && metadata::metadata_changed_between(level, now)) {
    return invalid(type == kSafeDowngrade
                       ? "Refusing to perform the requested downgrade because it might delete metadata information."
                       : "Unsafe metadata downgrade is not supported in this version.");
  }
  return std::nullopt;
}

}  // namespace

Decision<wire::UpdateFeaturesResponse> Controller::update_features(const wire::UpdateFeaturesRequest& request) const {
  Decision<wire::UpdateFeaturesResponse> decision;
  decision.response.error_message.reset();
  std::set<std::string> seen;
  for (const Update& update : request.feature_updates) {
    std::optional<std::string> problem;
    if (!seen.insert(update.feature).second)
      problem = "Feature " + update.feature + " is updated twice in one request.";
    if (!problem) problem = problem_with(image(), update);
    if (problem) {
      decision.records.clear();
      decision.response.results.clear();
      decision.response.error_code = KafkaError::kInvalidUpdateVersion;
      decision.response.error_message =
          "The update failed for all features since the following feature had an error: " + *problem;
      return decision;
    }
    auto& row = decision.response.results.emplace_back();
    row.feature = update.feature;
    row.error_message.reset();
    if (request.validate_only || image().feature_level(update.feature) == update.max_version_level) continue;
    wire::FeatureLevelRecord record;
    record.name = update.feature;
    record.feature_level = update.max_version_level;
    decision.records.emplace_back(std::move(record));
  }
  return decision;
}

Decision<wire::AllocateProducerIdsResponse> Controller::allocate_producer_ids(
    const wire::AllocateProducerIdsRequest& request) const {
  Decision<wire::AllocateProducerIdsResponse> decision;
  const metadata::Broker* broker = image().broker(BrokerId(request.broker_id));
  if (!broker || broker->epoch.value != request.broker_epoch) {
    decision.response.error_code = KafkaError::kStaleBrokerEpoch;
    return decision;
  }
  int64_t start = image().next_producer_id();
  if (start > INT64_MAX - kProducerIdBlock) {
    decision.response.error_code = KafkaError::kUnknownServerError;  // all used up
    return decision;
  }
  wire::ProducerIdsRecord record;
  record.broker_id = request.broker_id;
  record.broker_epoch = request.broker_epoch;
  record.next_producer_id = start + kProducerIdBlock;
  decision.records.emplace_back(std::move(record));
  decision.response.producer_id_start = start;
  decision.response.producer_id_len = kProducerIdBlock;
  return decision;
}

}  // namespace barnabas::controller
