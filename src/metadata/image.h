// Image: all of the cluster's metadata at one offset of the metadata log. Immutable; published as an ImagePtr that any
// thread may hold for as long as it likes. Made only by ImageBuilder, which shares every unchanged part with the image
// before, so a new image costs what changed, not what is there. References and pointers returned live as long as the
// image.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "base/uuid.h"
#include "metadata/broker.h"
#include "metadata/hash_trie.h"
#include "metadata/topic.h"

namespace barnabas::metadata {

// The last record an image contains.
struct Provenance {
  Offset last_offset{-1};
  LeaderEpoch epoch{-1};
  TimestampMs timestamp = kNoTimestamp;

  bool operator==(const Provenance&) const = default;
};

enum class ResourceType : int8_t { kTopic = 2, kBroker = 4, kBrokerLogger = 8, kClientMetrics = 16, kGroup = 32 };

// What a set of configuration overrides belongs to; kBroker with name "" is the default of all brokers.
struct ConfigResource {
  ResourceType type = ResourceType::kTopic;
  std::string name;

  auto operator<=>(const ConfigResource&) const = default;
};

using ConfigMap = std::map<std::string, std::string, std::less<>>;

struct ResourceConfig {
  ConfigResource resource;
  ConfigMap values;
};
using ResourceConfigPtr = std::shared_ptr<const ResourceConfig>;

// Entity type ("user", "client-id", "ip") -> name; no name = the default entity.
using QuotaEntity = std::map<std::string, std::optional<std::string>>;
using QuotaMap = std::map<QuotaEntity, std::map<std::string, double>>;

struct Acl {
  int8_t resource_type = 0;
  std::string resource_name;
  int8_t pattern_type = 0;
  std::string principal;
  std::string host;
  int8_t operation = 0;
  int8_t permission = 0;

  auto operator<=>(const Acl&) const = default;
};

struct ScramKey {
  std::string user;
  int8_t mechanism = 0;  // 1 SCRAM-SHA-256, 2 SCRAM-SHA-512

  auto operator<=>(const ScramKey&) const = default;
};

struct ScramCredential {
  Buffer salt;
  Buffer stored_key;
  Buffer server_key;
  int32_t iterations = 0;

  bool operator==(const ScramCredential&) const = default;
};

struct DelegationToken {
  std::string id;
  std::string owner;
  std::string requester;
  std::vector<std::string> renewers;
  TimestampMs issued = 0;
  TimestampMs max = 0;
  TimestampMs expires = 0;

  bool operator==(const DelegationToken&) const = default;
};

class Image {
 public:
  // An image of nothing, at offset -1.
  static std::shared_ptr<const Image> empty();

  const Provenance& provenance() const { return provenance_; }

  // Finalised feature levels above 0, kraft.version (which comes from control records) not among them.
  const std::map<std::string, int16_t>& features() const { return *features_; }
  int16_t feature_level(std::string_view name) const;  // 0 when not finalised; knows kraft.version too
  int16_t metadata_version() const;                    // 7 (Kafka's minimum) before any record said otherwise
  int16_t kraft_version() const { return kraft_version_; }

  const std::map<BrokerId, Broker>& brokers() const { return *brokers_; }
  const Broker* broker(BrokerId id) const;
  const std::map<int32_t, ControllerNode>& controllers() const { return *controllers_; }

  const Topic* topic(std::string_view name) const;
  const Topic* topic(const Uuid& id) const;
  TopicPtr topic_ptr(const Uuid& id) const;
  const Partition* partition(std::string_view topic, int32_t index) const;
  const Partition* partition(const Uuid& topic, int32_t index) const;
  size_t topic_count() const { return by_id_.size(); }
  size_t partition_count() const { return partition_count_; }
  std::vector<TopicPtr> topics() const;  // sorted by name
  // In an order that is fixed but says nothing. Cheaper than topics().
  void for_each_topic(const std::function<void(const Topic&)>& visit) const;

  // The overrides of `resource`; an empty map when there are none.
  const ConfigMap& config(const ConfigResource& resource) const;
  const ConfigMap& topic_config(std::string_view topic) const;
  std::vector<ResourceConfigPtr> configs() const;  // all of them, sorted by resource

  const QuotaMap& quotas() const { return *quotas_; }
  const std::map<Uuid, Acl>& acls() const { return *acls_; }
  const std::map<ScramKey, ScramCredential>& scram() const { return *scram_; }
  const std::map<std::string, DelegationToken>& delegation_tokens() const { return *tokens_; }
  int64_t next_producer_id() const { return next_producer_id_; }
  std::optional<int8_t> zookeeper_migration_state() const { return zookeeper_migration_state_; }

 private:
  friend class ImageBuilder;

  struct TopicName {
    std::string_view operator()(const TopicPtr& topic) const { return topic->name; }
  };
  struct TopicId {
    const Uuid& operator()(const TopicPtr& topic) const { return topic->id; }
  };
  struct ConfigKey {
    const ConfigResource& operator()(const ResourceConfigPtr& config) const { return config->resource; }
  };
  struct Hash {
    uint64_t operator()(std::string_view text) const;
    uint64_t operator()(const Uuid& id) const;
    uint64_t operator()(const ConfigResource& resource) const;
  };

  Image();

  Provenance provenance_;
  int16_t kraft_version_ = 0;
  std::shared_ptr<const std::map<std::string, int16_t>> features_;
  std::shared_ptr<const std::map<BrokerId, Broker>> brokers_;
  std::shared_ptr<const std::map<int32_t, ControllerNode>> controllers_;
  HashTrie<TopicPtr, TopicName, Hash> by_name_;
  HashTrie<TopicPtr, TopicId, Hash> by_id_;
  size_t partition_count_ = 0;
  HashTrie<ResourceConfigPtr, ConfigKey, Hash> configs_;
  std::shared_ptr<const QuotaMap> quotas_;
  std::shared_ptr<const std::map<Uuid, Acl>> acls_;
  std::shared_ptr<const std::map<ScramKey, ScramCredential>> scram_;
  std::shared_ptr<const std::map<std::string, DelegationToken>> tokens_;
  int64_t next_producer_id_ = 0;
  std::optional<int8_t> zookeeper_migration_state_;
};

using ImagePtr = std::shared_ptr<const Image>;

}  // namespace barnabas::metadata
