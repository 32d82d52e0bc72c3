// Kafka's words for the numbers in ACL requests (AclOperation, ResourceType, PatternType, AclPermissionType).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace barnabas::client::admin {

// "UNKNOWN" for a number that is not known; nothing for a word that is not known. Words are taken in any case.
std::string_view acl_operation_name(int8_t code);
std::string_view resource_type_name(int8_t code);
std::string_view pattern_type_name(int8_t code);
std::string_view permission_name(int8_t code);
std::optional<int8_t> acl_operation_code(std::string_view word);
std::optional<int8_t> resource_type_code(std::string_view word);
std::optional<int8_t> pattern_type_code(std::string_view word);
std::optional<int8_t> permission_code(std::string_view word);

}  // namespace barnabas::client::admin
