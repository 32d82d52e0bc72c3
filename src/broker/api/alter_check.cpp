#include "broker/api/alter_check.h"

#include "broker/broker.h"
#include "metadata/features.h"

namespace barnabas::broker {

namespace {

constexpr int32_t kAnyBroker = -1;

// Calls `check(context, current overrides)`, unless only the controller can know.
template <class Check>
std::optional<config::Refusal> with_context(Broker& broker, const Caller& caller, const AlteredResource& resource,
                                            Check check) {
  metadata::ImagePtr image = broker.image();
  metadata::ConfigResource key{static_cast<metadata::ResourceType>(resource.type), resource.name};
  bool topic = key.type == metadata::ResourceType::kTopic;
  if (topic && !image->topic(resource.name)) return std::nullopt;
  const auto settings = broker.settings();
  config::AlterContext context{.type = static_cast<config::ResourceType>(resource.type),
                               .resource_name = resource.name,
                               .broker_id = caller.on_controller ? kAnyBroker : broker.id().value,
                               .broker = &settings->layers,
                               .elr_enabled = image->feature_level(metadata::kElrVersion) >= 1};
  auto outcome = check(context, image->config(key));
  if (outcome) return std::nullopt;
  return std::move(outcome.error());
}

}  // namespace

std::optional<config::Refusal> check_incremental(Broker& broker, const Caller& caller, const AlteredResource& resource,
                                                 std::span<const config::Change> changes) {
  return with_context(broker, caller, resource,
                      [changes](const config::AlterContext& context, const config::Overrides& current) {
                        return config::alter_incrementally(context, current, changes);
                      });
}

std::optional<config::Refusal> check_replacement(Broker& broker, const Caller& caller, const AlteredResource& resource,
                                                 std::span<const config::WantedConfig> wanted) {
  return with_context(broker, caller, resource,
                      [wanted](const config::AlterContext& context, const config::Overrides& current) {
                        return config::replace_all(context, current, wanted);
                      });
}

}  // namespace barnabas::broker
