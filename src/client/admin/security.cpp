// Who may do what, and how much: ACLs, users, quotas, delegation tokens.
#include <openssl/evp.h>

#include "client/admin/acl_words.h"
#include "client/admin/core.h"
#include "client/admin/spread.h"
#include "runtime/random.h"
#include "wire/messages/alter_client_quotas_request.h"
#include "wire/messages/alter_client_quotas_response.h"
#include "wire/messages/alter_user_scram_credentials_request.h"
#include "wire/messages/alter_user_scram_credentials_response.h"
#include "wire/messages/create_acls_request.h"
#include "wire/messages/create_acls_response.h"
#include "wire/messages/create_delegation_token_request.h"
#include "wire/messages/create_delegation_token_response.h"
#include "wire/messages/delete_acls_request.h"
#include "wire/messages/delete_acls_response.h"
#include "wire/messages/describe_acls_request.h"
#include "wire/messages/describe_acls_response.h"
#include "wire/messages/describe_client_quotas_request.h"
#include "wire/messages/describe_client_quotas_response.h"
#include "wire/messages/describe_delegation_token_request.h"
#include "wire/messages/describe_delegation_token_response.h"
#include "wire/messages/describe_user_scram_credentials_request.h"
#include "wire/messages/describe_user_scram_credentials_response.h"
#include "wire/messages/expire_delegation_token_request.h"
#include "wire/messages/expire_delegation_token_response.h"
#include "wire/messages/renew_delegation_token_request.h"
#include "wire/messages/renew_delegation_token_response.h"

namespace barnabas::client {

namespace admin {
namespace {

using wire::KafkaError;

// ---- ACLs

std::unexpected<Error> unknown_word(std::string_view what, const std::string& word) {
  return std::unexpected(Error{.message = std::string(what) + " '" + word + "' is not one of Kafka's"});
}

struct AclCodes {
  int8_t resource_type, pattern_type, operation, permission;
};

Result<AclCodes> codes_of(const std::string& resource_type, const std::string& pattern_type,
                          const std::string& operation, const std::string& permission) {
  auto resource = resource_type_code(resource_type);
  if (!resource) return unknown_word("resource type", resource_type);
  auto pattern = pattern_type_code(pattern_type);
  if (!pattern) return unknown_word("pattern type", pattern_type);
  auto act = acl_operation_code(operation);
  if (!act) return unknown_word("operation", operation);
  auto permit = permission_code(permission);
  if (!permit) return unknown_word("permission", permission);
  return AclCodes{*resource, *pattern, *act, *permit};
}

runtime::Task<Result<std::vector<AclBinding>>> describe_acls(Cluster& cluster, AclFilter filter) {
  auto codes = codes_of(filter.resource_type, filter.pattern_type, filter.operation, filter.permission);
  if (!codes) co_return std::unexpected(codes.error());
  wire::DescribeAclsRequest request;
  request.resource_type_filter = codes->resource_type;
  request.resource_name_filter = filter.resource_name;
  request.pattern_type_filter = codes->pattern_type;
  request.principal_filter = filter.principal;
  request.host_filter = filter.host;
  request.operation = codes->operation;
  request.permission_type = codes->permission;
  auto answer =
      co_await cluster.call<wire::DescribeAclsResponse>(Target::any(), std::move(request), api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->message.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(answer->message.error_code, "ACLs", answer->message.error_message));
  }
  std::vector<AclBinding> bindings;
  for (const auto& resource : answer->message.resources) {
    for (const auto& acl : resource.acls) {
      bindings.push_back({.resource_type = std::string(resource_type_name(resource.resource_type)),
                          .resource_name = resource.resource_name,
                          .pattern_type = std::string(pattern_type_name(resource.pattern_type)),
                          .principal = acl.principal,
                          .host = acl.host,
                          .operation = std::string(acl_operation_name(acl.operation)),
                          .permission = std::string(permission_name(acl.permission_type))});
    }
  }
  co_return bindings;
}

runtime::Task<Result<std::vector<Result<>>>> create_acls(Cluster& cluster, std::vector<AclBinding> bindings) {
  wire::CreateAclsRequest request;
  for (const auto& binding : bindings) {
    auto codes = codes_of(binding.resource_type, binding.pattern_type, binding.operation, binding.permission);
    if (!codes) co_return std::unexpected(codes.error());
    request.creations.push_back({.resource_type = codes->resource_type,
                                 .resource_name = binding.resource_name,
                                 .resource_pattern_type = codes->pattern_type,
                                 .principal = binding.principal,
                                 .host = binding.host,
                                 .operation = codes->operation,
                                 .permission_type = codes->permission});
  }
  auto answer =
      co_await cluster.call<wire::CreateAclsResponse>(Target::controller(), std::move(request), api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  std::vector<Result<>> done;
  for (const auto& result : answer->message.results) {
    done.push_back(outcome(result.error_code, "ACL", result.error_message));
  }
  co_return done;
}

using Deleted = std::vector<Result<std::vector<AclBinding>>>;

runtime::Task<Result<Deleted>> delete_acls(Cluster& cluster, std::vector<AclFilter> filters) {
  wire::DeleteAclsRequest request;
  for (const auto& filter : filters) {
    auto codes = codes_of(filter.resource_type, filter.pattern_type, filter.operation, filter.permission);
    if (!codes) co_return std::unexpected(codes.error());
    auto& asked = request.filters.emplace_back();
    asked.resource_type_filter = codes->resource_type;
    asked.resource_name_filter = filter.resource_name;
    asked.pattern_type_filter = codes->pattern_type;
    asked.principal_filter = filter.principal;
    asked.host_filter = filter.host;
    asked.operation = codes->operation;
    asked.permission_type = codes->permission;
  }
  auto answer =
      co_await cluster.call<wire::DeleteAclsResponse>(Target::controller(), std::move(request), api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  Deleted done;
  for (const auto& result : answer->message.filter_results) {
    std::vector<AclBinding> bindings;
    for (const auto& acl : result.matching_acls) {
      if (acl.error_code != KafkaError::kNone) continue;
      bindings.push_back({.resource_type = std::string(resource_type_name(acl.resource_type)),
                          .resource_name = acl.resource_name,
                          .pattern_type = std::string(pattern_type_name(acl.pattern_type)),
                          .principal = acl.principal,
                          .host = acl.host,
                          .operation = std::string(acl_operation_name(acl.operation)),
                          .permission = std::string(permission_name(acl.permission_type))});
    }
    done.push_back(outcome(result.error_code, "ACLs", result.error_message, std::move(bindings)));
  }
  co_return done;
}

// ---- users

constexpr std::string_view kMechanisms[] = {"UNKNOWN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

int8_t mechanism_code(std::string_view name) {
  if (name == kMechanisms[1]) return 1;
  return name == kMechanisms[2] ? 2 : 0;
}

std::string mechanism_name(int8_t code) {
  return std::string(code == 1 || code == 2 ? kMechanisms[code] : kMechanisms[0]);
}

using Credentials = std::vector<ScramCredentialInfo>;

runtime::Task<Result<Outcomes<std::string, Credentials>>> describe_users(Cluster& cluster,
                                                                         std::vector<std::string> users) {
  wire::DescribeUserScramCredentialsRequest request;
  request.users.reset();
  if (!users.empty()) {
    request.users.emplace();
    for (const auto& user : users) request.users->push_back({.name = user});
  }
  auto answer = co_await cluster.call<wire::DescribeUserScramCredentialsResponse>(
      Target::controller(), std::move(request), api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->message.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(answer->message.error_code, "users", answer->message.error_message));
  }
  Outcomes<std::string, Credentials> done;
  for (const auto& result : answer->message.results) {
    Credentials credentials;
    for (const auto& info : result.credential_infos) {
      credentials.push_back({.mechanism = mechanism_name(info.mechanism), .iterations = info.iterations});
    }
    done.insert_or_assign(
        result.user, outcome(result.error_code, "user " + result.user, result.error_message, std::move(credentials)));
  }
  co_return done;
}

// RFC 5802: the salted password is PBKDF2 of it; the broker never sees the password.
Result<Buffer> salted_password(const std::string& password, const Buffer& salt, int32_t iterations, int8_t mechanism) {
  const EVP_MD* digest = mechanism == 1 ? EVP_sha256() : EVP_sha512();
  Buffer salted(static_cast<size_t>(EVP_MD_get_size(digest)));
  int done =
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), iterations,
                        digest, static_cast<int>(salted.size()), reinterpret_cast<unsigned char*>(salted.data()));
  if (done != 1) return std::unexpected(Error{.kind = Error::Kind::kIo, .message = "the password cannot be hashed"});
  return salted;
}

runtime::Task<Result<Outcomes<std::string, void>>> alter_users(Cluster& cluster, std::vector<ScramChange> changes) {
  wire::AlterUserScramCredentialsRequest request;
  for (const auto& change : changes) {
    int8_t mechanism = mechanism_code(change.mechanism);
    if (mechanism == 0) co_return unknown_word("SCRAM mechanism", change.mechanism);
    if (!change.password) {
      request.deletions.push_back({.name = change.user, .mechanism = mechanism});
      continue;
    }
    if (change.iterations < 4096 || change.iterations > 16384) {
      co_return std::unexpected(Error{.message = "iterations must be between 4096 and 16384"});
    }
    Buffer salt(32);
    for (size_t at = 0; at < salt.size(); at += sizeof(uint64_t)) store_be(&salt[at], cluster.world().random.next());
    auto salted = salted_password(*change.password, salt, change.iterations, mechanism);
    if (!salted) co_return std::unexpected(salted.error());
    auto& asked = request.upsertions.emplace_back();
    asked.name = change.user;
    asked.mechanism = mechanism;
    asked.iterations = change.iterations;
    asked.salt = std::move(salt);
    asked.salted_password = *std::move(salted);
  }
  auto answer = co_await cluster.call<wire::AlterUserScramCredentialsResponse>(Target::controller(), std::move(request),
                                                                               api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  Outcomes<std::string, void> done;
  for (const auto& result : answer->message.results) {
    done.insert_or_assign(result.user, outcome(result.error_code, "user " + result.user, result.error_message));
  }
  co_return done;
}

// ---- quotas

template <class Parts>
QuotaEntity entity_of(const Parts& parts) {
  QuotaEntity entity;
  for (const auto& part : parts) entity.insert_or_assign(part.entity_type, part.entity_name);
  return entity;
}

using Quotas = std::map<QuotaEntity, std::map<std::string, double>>;

runtime::Task<Result<Quotas>> describe_quotas(Cluster& cluster, QuotaFilter filter) {
  wire::DescribeClientQuotasRequest request;
  request.strict = filter.strict;
  for (const auto& component : filter.components) {
    auto& asked = request.components.emplace_back();
    asked.entity_type = component.entity_type;
    asked.match_type = static_cast<int8_t>(component.match);
    asked.match.reset();
    if (component.match == QuotaFilter::Component::Match::kExact) asked.match = component.name;
  }
  auto answer = co_await cluster.call<wire::DescribeClientQuotasResponse>(Target::any(), std::move(request),
                                                                          api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->message.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(answer->message.error_code, "quotas", answer->message.error_message));
  }
  Quotas quotas;
  if (!answer->message.entries) co_return quotas;
  for (const auto& entry : *answer->message.entries) {
    auto& values = quotas[entity_of(entry.entity)];
    for (const auto& value : entry.values) values.insert_or_assign(value.key, value.value);
  }
  co_return quotas;
}

runtime::Task<Result<Outcomes<QuotaEntity, void>>> alter_quotas(Cluster& cluster, std::vector<QuotaChange> changes,
                                                                bool validate_only) {
  wire::AlterClientQuotasRequest request;
  request.validate_only = validate_only;
  for (const auto& change : changes) {
    auto& asked = request.entries.emplace_back();
    for (const auto& [type, name] : change.entity) asked.entity.push_back({.entity_type = type, .entity_name = name});
    for (const auto& [key, value] : change.values) {
      asked.ops.push_back({.key = key, .value = value.value_or(0), .remove = !value});
    }
  }
  auto answer = co_await cluster.call<wire::AlterClientQuotasResponse>(Target::controller(), std::move(request),
                                                                       api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  Outcomes<QuotaEntity, void> done;
  for (const auto& entry : answer->message.entries) {
    done.insert_or_assign(entity_of(entry.entity), outcome(entry.error_code, "quota", entry.error_message));
  }
  co_return done;
}

// ---- delegation tokens

struct Principal {
  std::string type, name;
};

Result<Principal> principal_of(const std::string& text) {
  size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    return std::unexpected(Error{.message = "a principal is written Type:name, as User:alice, not '" + text + "'"});
  }
  return Principal{text.substr(0, colon), text.substr(colon + 1)};
}

runtime::Task<Result<DelegationToken>> create_token(Cluster& cluster, NewDelegationToken wanted) {
  wire::CreateDelegationTokenRequest request;
  request.owner_principal_type.reset();
  request.owner_principal_name.reset();
  request.max_lifetime_ms = wanted.lifetime_ms_max;
  if (wanted.owner) {
    auto owner = principal_of(*wanted.owner);
    if (!owner) co_return std::unexpected(owner.error());
    request.owner_principal_type = owner->type;
    request.owner_principal_name = owner->name;
  }
  for (const auto& text : wanted.renewers) {
    auto renewer = principal_of(text);
    if (!renewer) co_return std::unexpected(renewer.error());
    request.renewers.push_back({.principal_type = renewer->type, .principal_name = renewer->name});
  }
  auto answer = co_await cluster.call<wire::CreateDelegationTokenResponse>(Target::controller(), std::move(request),
                                                                           api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  const auto& told = answer->message;
  if (told.error_code != KafkaError::kNone)
    co_return std::unexpected(broker_error(told.error_code, "delegation token"));
  co_return DelegationToken{
      .token_id = told.token_id,
      .hmac = told.hmac,
      .owner = told.principal_type + ":" + told.principal_name,
      .requester = told.token_requester_principal_type + ":" + told.token_requester_principal_name,
      .renewers = wanted.renewers,
      .issued = told.issue_timestamp_ms,
      .expires = told.expiry_timestamp_ms,
      .max = told.max_timestamp_ms};
}

runtime::Task<Result<Timestamp>> renew_token(Cluster& cluster, std::vector<std::byte> hmac, int64_t period_ms) {
  wire::RenewDelegationTokenRequest request;
  request.hmac = std::move(hmac);
  request.renew_period_ms = period_ms;
  auto answer = co_await cluster.call<wire::RenewDelegationTokenResponse>(Target::controller(), std::move(request),
                                                                          api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  co_return outcome(answer->message.error_code, "delegation token", {}, answer->message.expiry_timestamp_ms);
}

runtime::Task<Result<Timestamp>> expire_token(Cluster& cluster, std::vector<std::byte> hmac, int64_t period_ms) {
  wire::ExpireDelegationTokenRequest request;
  request.hmac = std::move(hmac);
  request.expiry_time_period_ms = period_ms;
  auto answer = co_await cluster.call<wire::ExpireDelegationTokenResponse>(Target::controller(), std::move(request),
                                                                           api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  co_return outcome(answer->message.error_code, "delegation token", {}, answer->message.expiry_timestamp_ms);
}

runtime::Task<Result<std::vector<DelegationToken>>> describe_tokens(Cluster& cluster,
                                                                    std::optional<std::vector<std::string>> owners) {
  wire::DescribeDelegationTokenRequest request;
  request.owners.reset();
  if (owners) {
    request.owners.emplace();
    for (const auto& text : *owners) {
      auto owner = principal_of(text);
      if (!owner) co_return std::unexpected(owner.error());
      request.owners->push_back({.principal_type = owner->type, .principal_name = owner->name});
    }
  }
  auto answer = co_await cluster.call<wire::DescribeDelegationTokenResponse>(Target::any(), std::move(request),
                                                                             api_deadline(cluster));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->message.error_code != KafkaError::kNone) {
    co_return std::unexpected(broker_error(answer->message.error_code, "delegation tokens"));
  }
  std::vector<DelegationToken> tokens;
  for (const auto& told : answer->message.tokens) {
    auto& token = tokens.emplace_back();
    token.token_id = told.token_id;
    token.hmac = told.hmac;
    token.owner = told.principal_type + ":" + told.principal_name;
    token.requester = told.token_requester_principal_type + ":" + told.token_requester_principal_name;
    for (const auto& renewer : told.renewers) {
      token.renewers.push_back(renewer.principal_type + ":" + renewer.principal_name);
    }
    token.issued = told.issue_timestamp;
    token.expires = told.expiry_timestamp;
    token.max = told.max_timestamp;
  }
  co_return tokens;
}

}  // namespace
}  // namespace admin

Future<std::vector<AclBinding>> Admin::describe_acls(AclFilter filter) {
  return core_->start(admin::describe_acls(core_->cluster(), std::move(filter)));
}
Future<std::vector<Result<>>> Admin::create_acls(std::vector<AclBinding> bindings) {
  return core_->start(admin::create_acls(core_->cluster(), std::move(bindings)));
}
Future<std::vector<Result<std::vector<AclBinding>>>> Admin::delete_acls(std::vector<AclFilter> filters) {
  return core_->start(admin::delete_acls(core_->cluster(), std::move(filters)));
}
Admin::Each<std::string, std::vector<ScramCredentialInfo>> Admin::describe_user_scram_credentials(
    std::vector<std::string> users) {
  return core_->start(admin::describe_users(core_->cluster(), std::move(users)));
}
Admin::Each<std::string> Admin::alter_user_scram_credentials(std::vector<ScramChange> changes) {
  return core_->start(admin::alter_users(core_->cluster(), std::move(changes)));
}
Future<std::map<QuotaEntity, std::map<std::string, double>>> Admin::describe_client_quotas(QuotaFilter filter) {
  return core_->start(admin::describe_quotas(core_->cluster(), std::move(filter)));
}
Admin::Each<QuotaEntity> Admin::alter_client_quotas(std::vector<QuotaChange> changes, bool validate_only) {
  return core_->start(admin::alter_quotas(core_->cluster(), std::move(changes), validate_only));
}
Future<DelegationToken> Admin::create_delegation_token(NewDelegationToken token) {
  return core_->start(admin::create_token(core_->cluster(), std::move(token)));
}
Future<Timestamp> Admin::renew_delegation_token(std::vector<std::byte> hmac, int64_t renew_period_ms) {
  return core_->start(admin::renew_token(core_->cluster(), std::move(hmac), renew_period_ms));
}
Future<Timestamp> Admin::expire_delegation_token(std::vector<std::byte> hmac, int64_t expiry_period_ms) {
  return core_->start(admin::expire_token(core_->cluster(), std::move(hmac), expiry_period_ms));
}
Future<std::vector<DelegationToken>> Admin::describe_delegation_tokens(std::optional<std::vector<std::string>> owners) {
  return core_->start(admin::describe_tokens(core_->cluster(), std::move(owners)));
}

}  // namespace barnabas::client
