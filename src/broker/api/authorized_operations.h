// What "authorized operations" fields say when nothing restricts anybody: every operation that makes sense for the kind
// of resource, as a bit field by Kafka's operation ids.
#pragma once

#include <cstdint>

namespace barnabas::broker {

enum class AclOperation {
  kRead = 3,
  kWrite = 4,
  kCreate = 5,
  kDelete = 6,
  kAlter = 7,
  kDescribe = 8,
  kClusterAction = 9,
  kDescribeConfigs = 10,
  kAlterConfigs = 11,
  kIdempotentWrite = 12,
};

template <class... Operations>
constexpr int32_t operation_bits(Operations... operations) {
  return ((1 << static_cast<int>(operations)) | ...);
}

inline constexpr int32_t kClusterOperations =
    operation_bits(AclOperation::kCreate, AclOperation::kAlter, AclOperation::kDescribe, AclOperation::kClusterAction,
                   AclOperation::kDescribeConfigs, AclOperation::kAlterConfigs, AclOperation::kIdempotentWrite);
inline constexpr int32_t kTopicOperations = operation_bits(
    AclOperation::kRead, AclOperation::kWrite, AclOperation::kCreate, AclOperation::kDelete, AclOperation::kAlter,
    AclOperation::kDescribe, AclOperation::kDescribeConfigs, AclOperation::kAlterConfigs);
inline constexpr int32_t kGroupOperations =
    operation_bits(AclOperation::kRead, AclOperation::kDelete, AclOperation::kDescribe, AclOperation::kDescribeConfigs,
                   AclOperation::kAlterConfigs);

}  // namespace barnabas::broker
