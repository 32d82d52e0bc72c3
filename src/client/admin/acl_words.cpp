#include "client/admin/acl_words.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <span>

namespace barnabas::client::admin {

namespace {

using Words = std::span<const std::string_view>;  // by code

constexpr std::string_view kOperations[] = {"UNKNOWN",
                                            "ANY",
                                            "ALL",
                                            "READ",
                                            "WRITE",
                                            "CREATE",
                                            "DELETE",
                                            "ALTER",
                                            "DESCRIBE",
                                            "CLUSTER_ACTION",
                                            "DESCRIBE_CONFIGS",
                                            "ALTER_CONFIGS",
                                            "IDEMPOTENT_WRITE",
                                            "CREATE_TOKENS",
                                            "DESCRIBE_TOKENS",
                                            "TWO_PHASE_COMMIT"};
constexpr std::string_view kResourceTypes[] = {
    "UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"};
constexpr std::string_view kPatternTypes[] = {"UNKNOWN", "ANY", "MATCH", "LITERAL", "PREFIXED"};
constexpr std::string_view kPermissions[] = {"UNKNOWN", "ANY", "DENY", "ALLOW"};

std::string_view word_of(Words words, int8_t code) {
  return code > 0 && static_cast<size_t>(code) < words.size() ? words[static_cast<size_t>(code)] : words[0];
}

std::optional<int8_t> code_of(Words words, std::string_view word) {
  for (size_t code = 1; code < words.size(); ++code) {
    bool same = std::ranges::equal(words[code], word, [](char ours, char theirs) {
      return ours == static_cast<char>(std::toupper(static_cast<unsigned char>(theirs)));
    });
    if (same) return static_cast<int8_t>(code);
  }
  return std::nullopt;
}

}  // namespace

std::string_view acl_operation_name(int8_t code) {
  return word_of(kOperations, code);
}
std::string_view resource_type_name(int8_t code) {
  return word_of(kResourceTypes, code);
}
std::string_view pattern_type_name(int8_t code) {
  return word_of(kPatternTypes, code);
}
std::string_view permission_name(int8_t code) {
  return word_of(kPermissions, code);
}
std::optional<int8_t> acl_operation_code(std::string_view word) {
  return code_of(kOperations, word);
}
std::optional<int8_t> resource_type_code(std::string_view word) {
  return code_of(kResourceTypes, word);
}
std::optional<int8_t> pattern_type_code(std::string_view word) {
  return code_of(kPatternTypes, word);
}
std::optional<int8_t> permission_code(std::string_view word) {
  return code_of(kPermissions, word);
}

}  // namespace barnabas::client::admin
