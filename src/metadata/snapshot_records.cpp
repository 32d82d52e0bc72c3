#include "metadata/features.h"
#include "metadata/registration_rows.h"
#include "metadata/snapshot.h"

namespace barnabas::metadata {

namespace {

using wire::MetadataRecord;

std::vector<int32_t> raw_ids(const std::vector<BrokerId>& ids) {
  std::vector<int32_t> raw;
  raw.reserve(ids.size());
  for (BrokerId id : ids) raw.push_back(id.value);
  return raw;
}

void add_features(const Image& image, std::vector<MetadataRecord>& out) {
  auto add = [&](const std::string& name, int16_t level) {
    wire::FeatureLevelRecord record;
    record.name = name;
    record.feature_level = level;
    out.emplace_back(std::move(record));
  };
  // First, because it says how to read the rest.
  add(std::string(kMetadataVersion), image.metadata_version());
  for (const auto& [name, level] : image.features()) {
    if (name != kMetadataVersion) add(name, level);
  }
}

void add_brokers(const Image& image, std::vector<MetadataRecord>& out) {
  for (const auto& [id, broker] : image.brokers()) {
    wire::RegisterBrokerRecord record;
    record.broker_id = id.value;
    record.is_migrating_zk_broker = broker.migrating_from_zookeeper;
    record.incarnation_id = broker.incarnation;
    record.broker_epoch = broker.epoch.value;
    record.end_points = endpoint_rows<wire::RegisterBrokerRecord::BrokerEndpoint>(broker.endpoints);
    record.features = feature_rows<wire::RegisterBrokerRecord::BrokerFeature>(broker.features);
    record.rack = broker.rack;
    record.fenced = broker.fenced;
    record.in_controlled_shutdown = broker.in_controlled_shutdown;
    record.log_dirs = broker.log_dirs;
    record.cordoned_log_dirs = broker.cordoned_log_dirs;
    out.emplace_back(std::move(record));
  }
}

void add_controllers(const Image& image, std::vector<MetadataRecord>& out) {
  for (const auto& [id, controller] : image.controllers()) {
    wire::RegisterControllerRecord record;
    record.controller_id = id;
    record.incarnation_id = controller.incarnation;
    record.zk_migration_ready = controller.zookeeper_migration_ready;
    record.end_points = endpoint_rows<wire::RegisterControllerRecord::ControllerEndpoint>(controller.endpoints);
    record.features = feature_rows<wire::RegisterControllerRecord::ControllerFeature>(controller.features);
    out.emplace_back(std::move(record));
  }
}

void add_topics(const Image& image, std::vector<MetadataRecord>& out) {
  for (const TopicPtr& topic : image.topics()) {
    wire::TopicRecord record;
    record.name = topic->name;
    record.topic_id = topic->id;
    out.emplace_back(std::move(record));
    for (int32_t i = 0; i < topic->partition_count(); ++i) {
      const Partition* partition = topic->partition(i);
      if (!partition) continue;
      wire::PartitionRecord p;
      p.partition_id = i;
      p.topic_id = topic->id;
      p.replicas = raw_ids(partition->replicas);
      p.isr = raw_ids(partition->isr);
      p.removing_replicas = raw_ids(partition->removing_replicas);
      p.adding_replicas = raw_ids(partition->adding_replicas);
      p.leader = partition->leader.value;
      p.leader_recovery_state = static_cast<int8_t>(partition->recovery);
      p.leader_epoch = partition->leader_epoch.value;
      p.partition_epoch = partition->partition_epoch;
      p.directories = partition->directories;
      if (!partition->elr.empty()) p.eligible_leader_replicas = raw_ids(partition->elr);
      if (!partition->last_known_elr.empty()) p.last_known_elr = raw_ids(partition->last_known_elr);
      out.emplace_back(std::move(p));
    }
  }
}

void add_configs(const Image& image, std::vector<MetadataRecord>& out) {
  for (const ResourceConfigPtr& config : image.configs()) {
    for (const auto& [name, value] : config->values) {
      wire::ConfigRecord record;
      record.resource_type = static_cast<int8_t>(config->resource.type);
      record.resource_name = config->resource.name;
      record.name = name;
      record.value = value;
      out.emplace_back(std::move(record));
    }
  }
}

void add_quotas(const Image& image, std::vector<MetadataRecord>& out) {
  for (const auto& [entity, limits] : image.quotas()) {
    for (const auto& [key, value] : limits) {
      wire::ClientQuotaRecord record;
      for (const auto& [type, name] : entity) {
        auto& part = record.entity.emplace_back();
        part.entity_type = type;
        part.entity_name = name;
      }
      record.key = key;
      record.value = value;
      out.emplace_back(std::move(record));
    }
  }
}

void add_security(const Image& image, std::vector<MetadataRecord>& out) {
  for (const auto& [id, acl] : image.acls()) {
    wire::AccessControlEntryRecord record;
    record.id = id;
    record.resource_type = acl.resource_type;
    record.resource_name = acl.resource_name;
    record.pattern_type = acl.pattern_type;
    record.principal = acl.principal;
    record.host = acl.host;
    record.operation = acl.operation;
    record.permission_type = acl.permission;
    out.emplace_back(std::move(record));
  }
  for (const auto& [key, credential] : image.scram()) {
    wire::UserScramCredentialRecord record;
    record.name = key.user;
    record.mechanism = key.mechanism;
    record.salt = credential.salt;
    record.stored_key = credential.stored_key;
    record.server_key = credential.server_key;
    record.iterations = credential.iterations;
    out.emplace_back(std::move(record));
  }
  for (const auto& [id, token] : image.delegation_tokens()) {
    wire::DelegationTokenRecord record;
    record.owner = token.owner;
    record.requester = token.requester;
    record.renewers = token.renewers;
    record.issue_timestamp = token.issued;
    record.max_timestamp = token.max;
    record.expiration_timestamp = token.expires;
    record.token_id = id;
    out.emplace_back(std::move(record));
  }
}

}  // namespace

std::vector<MetadataRecord> snapshot_records(const Image& image) {
  std::vector<MetadataRecord> out;
  out.reserve(64 + image.topic_count() * 2 + image.partition_count());
  add_features(image, out);
  add_brokers(image, out);
  add_controllers(image, out);
  add_topics(image, out);
  add_configs(image, out);
  add_quotas(image, out);
  if (image.next_producer_id() > 0) {
    // Kafka fills in these two the same way: who asked last is not part of the image.
    wire::ProducerIdsRecord record;
    record.broker_id = -1;
    record.broker_epoch = -1;
    record.next_producer_id = image.next_producer_id();
    out.emplace_back(std::move(record));
  }
  add_security(image, out);
  if (image.zookeeper_migration_state()) {
    wire::ZkMigrationStateRecord record;
    record.zk_migration_state = *image.zookeeper_migration_state();
    out.emplace_back(std::move(record));
  }
  return out;
}

}  // namespace barnabas::metadata
