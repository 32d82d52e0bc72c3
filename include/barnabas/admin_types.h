// What the admin client takes and gives, as plain values in Kafka's words.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "barnabas/error.h"
#include "barnabas/types.h"

namespace barnabas::client {

struct Node {
  int32_t id = -1;
  std::string host{};
  int32_t port = 0;
  std::optional<std::string> rack{};
  bool fenced = false;
  auto operator<=>(const Node&) const = default;
};

// ---- configurations

struct ConfigResource {
  enum class Type : int8_t { kTopic = 2, kBroker = 4, kBrokerLogger = 8, kClientMetrics = 16, kGroup = 32 };
  Type type = Type::kTopic;
  std::string name{};  // of a broker: its id, "" for the cluster-wide default
  auto operator<=>(const ConfigResource&) const = default;
};

struct ConfigEntry {
  enum class Source : int8_t {
    kUnknown = 0,
    kTopic = 1,
    kDynamicBroker = 2,
    kDynamicDefaultBroker = 3,
    kStaticBroker = 4,
    kDefault = 5,
    kDynamicBrokerLogger = 6,
    kClientMetrics = 7,
    kGroup = 8,
  };
  struct Synonym {
    std::string name{};
    std::optional<std::string> value{};
    Source source = Source::kUnknown;
  };
  std::string name{};
  std::optional<std::string> value{};  // null for sensitive ones
  Source source = Source::kUnknown;
  bool read_only = false;
  bool sensitive = false;
  std::vector<Synonym> synonyms{};
  int8_t type =
      0;  // Kafka's ConfigDef type: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password
  std::optional<std::string> documentation{};
  bool is_default() const { return source == Source::kDefault; }
};

struct DescribeConfigsOptions {
  std::optional<std::vector<std::string>> keys{};  // absent: all
  bool with_synonyms = false;
  bool with_documentation = false;
};

struct ConfigChange {
  enum class Op : int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };
  std::string name{};
  std::optional<std::string> value{};
  Op op = Op::kSet;
};

// ---- topics

struct NewTopic {
  std::string name{};
  int32_t partitions = -1;          // -1: the broker's num.partitions (KIP-464)
  int16_t replication_factor = -1;  // -1: the broker's default.replication.factor
  // Instead of both: the replicas of each partition, the first one preferred as leader.
  std::map<int32_t, std::vector<int32_t>> assignments{};
  std::map<std::string, std::string> configs{};
};

struct CreatedTopic {
  Uuid128 id{};
  int32_t partitions = -1;
  int16_t replication_factor = -1;
  std::vector<ConfigEntry> configs{};  // empty without the permission to see them
};

struct TopicListing {
  std::string name{};
  Uuid128 id{};
  bool internal = false;
};

struct TopicPartitionInfo {
  int32_t partition = -1;
  std::optional<Node> leader{};
  int32_t leader_epoch = -1;
  std::vector<Node> replicas{}, in_sync_replicas{}, offline_replicas{};
  // Eligible leader replicas (KIP-966); absent on clusters that do not tell.
  std::optional<std::vector<Node>> eligible_leader_replicas{}, last_known_eligible_leader_replicas{};
};

struct TopicDescription {
  std::string name{};
  Uuid128 id{};
  bool internal = false;
  std::vector<TopicPartitionInfo> partitions{};
  std::optional<std::vector<std::string>> authorized_operations{};
};

struct NewPartitions {
  int32_t total_count = 0;
  std::vector<std::vector<int32_t>> assignments{};  // replicas of the new ones only; empty: the controller chooses
};

// ---- offsets

struct OffsetSpec {
  enum class Kind { kEarliest, kLatest, kMaxTimestamp, kEarliestLocal, kLatestTiered, kEarliestPendingUpload, kTime };
  Kind kind = Kind::kLatest;
  Timestamp time = -1;  // of kTime: the first record with this time or later
};

struct ListedOffset {
  int64_t offset = -1;
  Timestamp timestamp = -1;
  std::optional<int32_t> leader_epoch{};
};

struct ProducerState {
  int64_t producer_id = -1;
  int32_t producer_epoch = -1;
  int32_t last_sequence = -1;
  Timestamp last_timestamp = -1;
  int32_t coordinator_epoch = -1;
  std::optional<int64_t> current_transaction_start_offset{};
};

// ---- groups

struct GroupListing {
  std::string id{};
  std::string type{};           // Classic, Consumer, Share, Streams; empty on clusters that do not tell
  std::string protocol_type{};  // consumer, connect, …
  std::string state{};          // Stable, Empty, …
};

struct ListGroupsOptions {
  std::set<std::string> states{}, types{}, protocol_types{};  // empty: all
};

struct GroupMember {
  std::string member_id{}, client_id{}, host{};
  std::optional<std::string> group_instance_id{}, rack{};
  int32_t member_epoch = -1;  // KIP-848, share and streams groups
  std::vector<std::string> subscribed_topics{};
  std::optional<std::string> subscribed_pattern{};
  std::vector<TopicPartition> assignment{}, target_assignment{};
  std::optional<bool> upgraded{};  // of a consumer group: speaks the new protocol
};

struct GroupDescription {
  std::string id{};
  std::string type{};  // as in GroupListing
  std::string state{};
  std::string protocol_type{};
  std::string assignor{};
  int32_t group_epoch = -1, target_assignment_epoch = -1;
  std::optional<Node> coordinator{};
  std::vector<GroupMember> members{};
  std::optional<std::vector<std::string>> authorized_operations{};
};

struct GroupMemberToRemove {
  std::string member_id{};
  std::optional<std::string> group_instance_id{};
};

// ---- cluster

struct ClusterDescription {
  std::string cluster_id{};
  std::optional<Node> controller{};
  std::vector<Node> nodes{};
  std::optional<std::vector<std::string>> authorized_operations{};
};

struct LogDirDescription {
  struct Replica {
    TopicPartition partition{};
    int64_t size_bytes = 0;
    int64_t offset_lag = 0;
    bool future = false;
  };
  std::string path{};
  std::optional<Error> error{};
  std::vector<Replica> replicas{};
  std::optional<int64_t> total_bytes{}, usable_bytes{};
  bool cordoned = false;
};

struct TopicPartitionReplica {
  TopicPartition partition{};
  int32_t broker = -1;
  auto operator<=>(const TopicPartitionReplica&) const = default;
};

struct QuorumDescription {
  struct Replica {
    int32_t id = -1;
    Uuid128 directory{};
    int64_t log_end_offset = -1;
    std::optional<Timestamp> last_fetch{}, last_caught_up{};
  };
  struct Listener {
    std::string name{}, host{};
    int32_t port = 0;
  };
  int32_t leader_id = -1;
  int32_t leader_epoch = -1;
  int64_t high_watermark = -1;
  std::vector<Replica> voters{}, observers{};
  std::map<int32_t, std::vector<Listener>> nodes{};
};

struct Voter {
  int32_t id = -1;
  Uuid128 directory{};
  std::vector<QuorumDescription::Listener> listeners{};
};

struct FeatureDescription {
  struct Range {
    int16_t min = 0, max = 0;
  };
  std::map<std::string, int16_t> finalized{};
  std::map<std::string, Range> supported{};
  int64_t finalized_epoch = -1;
};

struct FeatureUpdate {
  enum class Type : int8_t { kUpgrade = 1, kSafeDowngrade = 2, kUnsafeDowngrade = 3 };
  int16_t max_level = 0;
  Type type = Type::kUpgrade;
};

struct ApiVersionRange {
  int16_t key = 0;
  std::string name{};  // "Produce"; empty for an API this library does not know
  int16_t min = 0, max = 0;
  std::optional<int16_t> usable{};  // the highest version both sides know
};

// ---- placement

enum class ElectionType : int8_t { kPreferred = 0, kUnclean = 1 };

struct PartitionReassignment {
  std::vector<int32_t> replicas{}, adding{}, removing{};
};

// ---- transactions

struct TransactionListing {
  std::string transactional_id{};
  int64_t producer_id = -1;
  std::string state{};
  int32_t coordinator = -1;
};

struct ListTransactionsOptions {
  std::set<std::string> states{};
  std::set<int64_t> producer_ids{};
  std::optional<int64_t> duration_ms_min{};
  std::optional<std::string> id_pattern{};
};

struct TransactionDescription {
  int32_t coordinator = -1;
  std::string state{};
  int64_t producer_id = -1;
  int32_t producer_epoch = -1;
  int64_t timeout_ms = 0;
  std::optional<Timestamp> started{};
  std::vector<TopicPartition> partitions{};
};

// ---- security. Words are Kafka's, in capitals: READ, ALLOW, TOPIC, LITERAL; "ANY" and "MATCH" in filters.

struct AclBinding {
  std::string resource_type{}, resource_name{}, pattern_type{"LITERAL"};
  std::string principal{}, host{"*"}, operation{}, permission{"ALLOW"};
  auto operator<=>(const AclBinding&) const = default;
};

struct AclFilter {
  std::string resource_type{"ANY"}, pattern_type{"ANY"}, operation{"ANY"}, permission{"ANY"};
  std::optional<std::string> resource_name{}, principal{}, host{};  // absent: any
};

struct ScramCredentialInfo {
  std::string mechanism{};  // SCRAM-SHA-256, SCRAM-SHA-512
  int32_t iterations = 0;
};

struct ScramChange {
  std::string user{};
  std::string mechanism{};
  std::optional<std::string> password{};  // absent: delete the credential
  int32_t iterations = 8192;
};

// The parts of an entity by type ("user", "client-id", "ip"); a value of nullopt is the default entity.
using QuotaEntity = std::map<std::string, std::optional<std::string>>;

struct QuotaFilter {
  struct Component {
    enum class Match { kExact, kDefault, kAny };
    std::string entity_type{};
    Match match = Match::kAny;
    std::string name{};
  };
  std::vector<Component> components{};
  bool strict = false;  // only entities with exactly these types
};

struct QuotaChange {
  QuotaEntity entity{};
  std::map<std::string, std::optional<double>> values{};  // nullopt removes the quota
};

struct NewDelegationToken {
  std::optional<std::string> owner{};  // "User:alice"; absent: the caller
  std::vector<std::string> renewers{};
  int64_t lifetime_ms_max = -1;
};

struct DelegationToken {
  std::string token_id{};
  std::vector<std::byte> hmac{};
  std::string owner{}, requester{};
  std::vector<std::string> renewers{};
  Timestamp issued = -1, expires = -1, max = -1;
};

}  // namespace barnabas::client
