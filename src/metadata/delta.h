// Delta: what changed between two published images, for those who act on changes (partitions, listeners, quotas,
// authorizer) instead of looking things up. It names things; their old and new values are in the two images.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/ids.h"
#include "base/uuid.h"
#include "metadata/image.h"

namespace barnabas::metadata {

struct TopicChange {
  enum class Kind { kCreated, kChanged, kDeleted };
  Kind kind = Kind::kChanged;
  std::string name;
  std::set<int32_t> partitions;  // created or changed ones; empty for a deleted topic
};

struct Delta {
  std::map<Uuid, TopicChange> topics;  // a name deleted and created again shows as two ids
  std::set<ConfigResource> configs;    // of a deleted topic too
  std::set<BrokerId> brokers;          // registered, changed or unregistered
  std::set<int32_t> controllers;
  std::set<std::string> features;
  std::set<QuotaEntity> quotas;
  std::set<ScramKey> scram;
  std::set<std::string> delegation_tokens;
  bool acls = false;
  bool producer_ids = false;

  // No change of substance: NoOp records and moved offsets only.
  bool empty() const;
};

}  // namespace barnabas::metadata
