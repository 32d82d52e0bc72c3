#include "metadata/replay.h"

#include <fmt/format.h>

namespace barnabas::metadata {

Result<> ImageBuilder::Replay::apply(const wire::MetadataRecord& record) {
  return std::visit(*this, record);
}

Result<> ImageBuilder::Replay::operator()(const wire::ConfigRecord& record) {
  ConfigResource resource{static_cast<ResourceType>(record.resource_type), record.resource_name};
  const ResourceConfigPtr* known = image_.configs_.find(resource);
  auto config = std::make_shared<ResourceConfig>(known ? **known : ResourceConfig{resource, {}});
  if (record.value) {
    config->values.insert_or_assign(record.name, *record.value);
  } else {
    config->values.erase(record.name);
  }
  if (config->values.empty()) {
    image_.configs_.erase(resource);
  } else {
    image_.configs_.put(std::move(config));
  }
  delta_.configs.insert(resource);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::FeatureLevelRecord& record) {
  auto& features = edit(image_.features_, kFeatures);
  // Level 0 is the same as never having heard of the feature.
  if (record.feature_level == 0) {
    features.erase(record.name);
  } else {
    features.insert_or_assign(record.name, record.feature_level);
  }
  delta_.features.insert(record.name);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::ClientQuotaRecord& record) {
  QuotaEntity entity;
  for (const auto& part : record.entity) entity.insert_or_assign(part.entity_type, part.entity_name);
  auto& quotas = edit(image_.quotas_, kQuotas);
  if (record.remove) {
    auto found = quotas.find(entity);
    if (found != quotas.end() && found->second.erase(record.key) > 0 && found->second.empty()) quotas.erase(found);
  } else {
    quotas[entity].insert_or_assign(record.key, record.value);
  }
  delta_.quotas.insert(std::move(entity));
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::ProducerIdsRecord& record) {
  image_.next_producer_id_ = record.next_producer_id;
  delta_.producer_ids = true;
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::AccessControlEntryRecord& record) {
  edit(image_.acls_, kAcls)
      .insert_or_assign(record.id, Acl{record.resource_type, record.resource_name, record.pattern_type,
                                       record.principal, record.host, record.operation, record.permission_type});
  delta_.acls = true;
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::RemoveAccessControlEntryRecord& record) {
  if (edit(image_.acls_, kAcls).erase(record.id) == 0) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("RemoveAccessControlEntry: no entry has id {}", record.id.to_string()));
  }
  delta_.acls = true;
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::UserScramCredentialRecord& record) {
  ScramKey key{record.name, record.mechanism};
  edit(image_.scram_, kScram)
      .insert_or_assign(key, ScramCredential{record.salt, record.stored_key, record.server_key, record.iterations});
  delta_.scram.insert(std::move(key));
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::RemoveUserScramCredentialRecord& record) {
  ScramKey key{record.name, record.mechanism};
  if (edit(image_.scram_, kScram).erase(key) == 0) {
    return fail(ErrorCode::kCorrupt, fmt::format("RemoveUserScramCredential: '{}' has none of mechanism {}",
                                                 record.name, static_cast<int>(record.mechanism)));
  }
  delta_.scram.insert(std::move(key));
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::DelegationTokenRecord& record) {
  edit(image_.tokens_, kTokens)
      .insert_or_assign(record.token_id, DelegationToken{.id = record.token_id,
                                                         .owner = record.owner,
                                                         .requester = record.requester,
                                                         .renewers = record.renewers,
                                                         .issued = record.issue_timestamp,
                                                         .max = record.max_timestamp,
                                                         .expires = record.expiration_timestamp});
  delta_.delegation_tokens.insert(record.token_id);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::RemoveDelegationTokenRecord& record) {
  edit(image_.tokens_, kTokens).erase(record.token_id);
  delta_.delegation_tokens.insert(record.token_id);
  return {};
}

Result<> ImageBuilder::Replay::operator()(const wire::ZkMigrationStateRecord& record) {
  image_.zookeeper_migration_state_ = record.zk_migration_state;
  return {};
}

}  // namespace barnabas::metadata
