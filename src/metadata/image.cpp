#include "metadata/image.h"

#include <algorithm>

#include "metadata/delta.h"
#include "metadata/features.h"

namespace barnabas::metadata {

namespace {

// SplitMix64's last step: the trie takes its slots from the top bits, which std::hash alone need not fill.
uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

uint64_t hash_text(std::string_view text) {
  // FNV-1a: the same on every run and machine, so that iteration order is too.
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return mix(hash);
}

template <class T>
const std::shared_ptr<const T>& shared_empty() {
  static const auto kEmpty = std::make_shared<const T>();
  return kEmpty;
}

}  // namespace

uint64_t Image::Hash::operator()(std::string_view text) const {
  return hash_text(text);
}
uint64_t Image::Hash::operator()(const Uuid& id) const {
  return mix(id.most * 0x9e3779b97f4a7c15ULL ^ id.least);
}
uint64_t Image::Hash::operator()(const ConfigResource& resource) const {
  return mix(hash_text(resource.name) ^ static_cast<uint8_t>(resource.type));
}

Image::Image()
    : features_(shared_empty<std::map<std::string, int16_t>>()),
      brokers_(shared_empty<std::map<BrokerId, Broker>>()),
      controllers_(shared_empty<std::map<int32_t, ControllerNode>>()),
      quotas_(shared_empty<QuotaMap>()),
      acls_(shared_empty<std::map<Uuid, Acl>>()),
      scram_(shared_empty<std::map<ScramKey, ScramCredential>>()),
      tokens_(shared_empty<std::map<std::string, DelegationToken>>()) {}

std::shared_ptr<const Image> Image::empty() {
  static const std::shared_ptr<const Image> kEmpty(new Image());
  return kEmpty;
}

int16_t Image::feature_level(std::string_view name) const {
  if (name == kKraftVersion) return kraft_version_;
  auto found = features_->find(std::string(name));
  return found == features_->end() ? int16_t{0} : found->second;
}

int16_t Image::metadata_version() const {
  return std::max(feature_level(kMetadataVersion), kMinMetadataVersion);
}

const Broker* Image::broker(BrokerId id) const {
  auto found = brokers_->find(id);
  return found == brokers_->end() ? nullptr : &found->second;
}

const Topic* Image::topic(std::string_view name) const {
  const TopicPtr* found = by_name_.find(name);
  return found ? found->get() : nullptr;
}

const Topic* Image::topic(const Uuid& id) const {
  const TopicPtr* found = by_id_.find(id);
  return found ? found->get() : nullptr;
}

TopicPtr Image::topic_ptr(const Uuid& id) const {
  const TopicPtr* found = by_id_.find(id);
  return found ? *found : nullptr;
}

const Partition* Image::partition(std::string_view name, int32_t index) const {
  const Topic* found = topic(name);
  return found ? found->partition(index) : nullptr;
}

const Partition* Image::partition(const Uuid& id, int32_t index) const {
  const Topic* found = topic(id);
  return found ? found->partition(index) : nullptr;
}

std::vector<TopicPtr> Image::topics() const {
  std::vector<TopicPtr> all;
  all.reserve(by_name_.size());
  by_name_.for_each([&](const TopicPtr& topic) { all.push_back(topic); });
  std::ranges::sort(all, {}, [](const TopicPtr& topic) -> const std::string& { return topic->name; });
  return all;
}

void Image::for_each_topic(const std::function<void(const Topic&)>& visit) const {
  by_name_.for_each([&](const TopicPtr& topic) { visit(*topic); });
}

const ConfigMap& Image::config(const ConfigResource& resource) const {
  static const ConfigMap kNone;
  const ResourceConfigPtr* found = configs_.find(resource);
  return found ? (*found)->values : kNone;
}

const ConfigMap& Image::topic_config(std::string_view topic) const {
  return config({ResourceType::kTopic, std::string(topic)});
}

std::vector<ResourceConfigPtr> Image::configs() const {
  std::vector<ResourceConfigPtr> all;
  all.reserve(configs_.size());
  configs_.for_each([&](const ResourceConfigPtr& config) { all.push_back(config); });
  std::ranges::sort(all, {}, [](const ResourceConfigPtr& config) -> const ConfigResource& { return config->resource; });
  return all;
}

bool Delta::empty() const {
  return topics.empty() && configs.empty() && brokers.empty() && controllers.empty() && features.empty() &&
         quotas.empty() && scram.empty() && delegation_tokens.empty() && !acls && !producer_ids;
}

}  // namespace barnabas::metadata
