// Admin: everything that is not records: topics, configurations, groups, offsets, quorum, ACLs, users. Thread-safe.
//
// Every call is one operation of the protocol; calls on many things are batched in as few requests as the protocol
// allows, each sent to the broker that has to answer (controller, coordinator, leader). Retriable errors are retried
// until default.api.timeout.ms, or the limit in AdminOptions. Where a call concerns several things the outer Result is
// that of the call (no broker reachable), the inner ones are those of each thing, so one topic that exists does not
// hide that the others were created. Names of functions are those of Kafka's Java Admin in snake_case.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "barnabas/admin_types.h"
#include "barnabas/config.h"
#include "barnabas/future.h"
#include "barnabas/runtime.h"
#include "barnabas/types.h"

namespace barnabas::client {

struct AdminOptions {
  std::shared_ptr<Runtime> runtime{};  // absent: one of its own
};

class Admin {
 public:
  // kConfig when the configuration is wrong. Does not wait for a broker.
  static Result<Admin> create(const Config& config, AdminOptions options = {});
  Admin(Admin&&) noexcept;
  Admin& operator=(Admin&&) noexcept;
  ~Admin();

  template <class Key, class Value = void>
  using Each = Future<std::map<Key, Result<Value>>>;

  // Topics. validate_only checks and changes nothing.
  Each<std::string, CreatedTopic> create_topics(std::vector<NewTopic> topics, bool validate_only = false);
  Each<std::string> delete_topics(std::vector<std::string> topics);
  Each<Uuid128> delete_topics_by_id(std::vector<Uuid128> ids);
  Future<std::vector<TopicListing>> list_topics(bool with_internal = false);
  Each<std::string, TopicDescription> describe_topics(std::vector<std::string> topics,
                                                      bool with_authorized_operations = false);
  Each<std::string> create_partitions(std::map<std::string, NewPartitions> topics, bool validate_only = false);
  // Deletes what is before the offset (-1: everything); the value is the new log start offset (KIP-107).
  Each<TopicPartition, int64_t> delete_records(std::map<TopicPartition, int64_t> before);

  // Configurations. Values not set are shown with where they come from.
  Each<ConfigResource, std::vector<ConfigEntry>> describe_configs(std::vector<ConfigResource> resources,
                                                                  DescribeConfigsOptions options = {});
  Each<ConfigResource> incremental_alter_configs(std::map<ConfigResource, std::vector<ConfigChange>> changes,
                                                 bool validate_only = false);
  // Resources of one type that have configuration: client metrics subscriptions, groups (KIP-1142).
  Future<std::vector<ConfigResource>> list_config_resources(std::set<ConfigResource::Type> types = {});

  // Offsets of partitions.
  Each<TopicPartition, ListedOffset> list_offsets(std::map<TopicPartition, OffsetSpec> partitions,
                                                  bool read_committed = false);
  Each<TopicPartition, std::vector<ProducerState>> describe_producers(std::vector<TopicPartition> partitions);

  // Groups, of any type.
  Future<std::vector<GroupListing>> list_groups(ListGroupsOptions options = {});
  Each<std::string, GroupDescription> describe_groups(std::vector<std::string> groups,
                                                      bool with_authorized_operations = false);
  Each<std::string> delete_groups(std::vector<std::string> groups);
  // Of all partitions with a commit, or of those asked for (nullopt: none committed).
  Each<std::string, std::map<TopicPartition, std::optional<OffsetAndMetadata>>> list_group_offsets(
      std::map<std::string, std::optional<std::vector<TopicPartition>>> groups, bool require_stable = false);
  Each<TopicPartition> alter_group_offsets(std::string group, std::map<TopicPartition, OffsetAndMetadata> offsets);
  Each<TopicPartition> delete_group_offsets(std::string group, std::vector<TopicPartition> partitions);
  // Members by group.instance.id or member id; empty: all.
  Future<> remove_members_from_group(std::string group, std::vector<GroupMemberToRemove> members,
                                     std::string reason = {});
  Each<std::string, std::map<TopicPartition, std::optional<int64_t>>> list_share_group_offsets(
      std::vector<std::string> groups);
  Each<TopicPartition> alter_share_group_offsets(std::string group, std::map<TopicPartition, int64_t> offsets);
  Each<std::string> delete_share_group_offsets(std::string group, std::vector<std::string> topics);

  // The cluster and its nodes.
  Future<ClusterDescription> describe_cluster(bool with_authorized_operations = false, bool with_fenced = false);
  Each<int32_t, std::vector<LogDirDescription>> describe_log_dirs(std::vector<int32_t> brokers);
  Each<TopicPartitionReplica> alter_replica_log_dirs(std::map<TopicPartitionReplica, std::string> moves);
  Future<QuorumDescription> describe_quorum();
  Future<> add_raft_voter(Voter voter, std::optional<std::string> cluster_id = {});
  Future<> remove_raft_voter(int32_t id, Uuid128 directory, std::optional<std::string> cluster_id = {});
  Future<> unregister_broker(int32_t id);
  Future<FeatureDescription> describe_features();
  Each<std::string> update_features(std::map<std::string, FeatureUpdate> updates, bool validate_only = false);
  // What a broker speaks: key, name, range. Of all brokers of the cluster when empty.
  Each<int32_t, std::vector<ApiVersionRange>> api_versions(std::vector<int32_t> brokers = {});

  // Placement.
  Each<TopicPartition> elect_leaders(ElectionType type, std::optional<std::vector<TopicPartition>> partitions);
  // nullopt cancels a reassignment under way.
  Each<TopicPartition> alter_partition_reassignments(
      std::map<TopicPartition, std::optional<std::vector<int32_t>>> targets);
  Future<std::map<TopicPartition, PartitionReassignment>> list_partition_reassignments(
      std::optional<std::vector<TopicPartition>> partitions = {});

  // Transactions.
  Future<std::vector<TransactionListing>> list_transactions(ListTransactionsOptions options = {});
  Each<std::string, TransactionDescription> describe_transactions(std::vector<std::string> transactional_ids);
  Future<> abort_transaction(TopicPartition partition, int64_t producer_id, int16_t producer_epoch,
                             int32_t coordinator_epoch);
  Each<std::string> fence_producers(std::vector<std::string> transactional_ids);

  // Who may do what.
  Future<std::vector<AclBinding>> describe_acls(AclFilter filter);
  Future<std::vector<Result<>>> create_acls(std::vector<AclBinding> bindings);  // in the order given
  Future<std::vector<Result<std::vector<AclBinding>>>> delete_acls(std::vector<AclFilter> filters);
  Each<std::string, std::vector<ScramCredentialInfo>> describe_user_scram_credentials(
      std::vector<std::string> users = {});
  Each<std::string> alter_user_scram_credentials(std::vector<ScramChange> changes);
  Future<std::map<QuotaEntity, std::map<std::string, double>>> describe_client_quotas(QuotaFilter filter);
  Each<QuotaEntity> alter_client_quotas(std::vector<QuotaChange> changes, bool validate_only = false);
  Future<DelegationToken> create_delegation_token(NewDelegationToken token = {});
  Future<Timestamp> renew_delegation_token(std::vector<std::byte> hmac, int64_t renew_period_ms);
  Future<Timestamp> expire_delegation_token(std::vector<std::byte> hmac, int64_t expiry_period_ms);
  Future<std::vector<DelegationToken>> describe_delegation_tokens(std::optional<std::vector<std::string>> owners = {});

  Result<> close();

  class Core;  // the library's own

 private:
  explicit Admin(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace barnabas::client
