// DeleteTopics: the controller removes topics, by name or (from version 6) by id, unless the broker's settings forbid
// deletion at all.

#include "broker/api/admin_timeout.h"
#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"

namespace barnabas::broker {

using wire::DeleteTopicsRequest;
using wire::DeleteTopicsResponse;
using wire::KafkaError;

namespace {

constexpr int16_t kDeletionDisabledFrom = 3;

DeleteTopicsResponse refuse(const DeleteTopicsRequest& request, int16_t version) {
  KafkaError error =
      version >= kDeletionDisabledFrom ? KafkaError::kTopicDeletionDisabled : KafkaError::kInvalidRequest;
  DeleteTopicsResponse response;
  auto add = [&](std::optional<std::string> name, const Uuid& id) {
    auto& row = response.responses.emplace_back();
    row.name = std::move(name);
    row.topic_id = id;
    row.error_code = error;
    row.error_message = "Topic deletion is disabled.";
  };
  for (const std::string& name : request.topic_names) add(name, kZeroUuid);
  for (const auto& topic : request.topics) add(topic.name, topic.topic_id);
  return response;
}

}  // namespace

runtime::Task<DeleteTopicsResponse> handle(Caller& caller, DeleteTopicsRequest request, Broker& broker) {
  if (!broker.settings()->broker.delete_topic_enable) co_return refuse(request, caller.api_version);
  int32_t timeout_ms = request.timeout_ms;
  auto response = co_await broker.controller().delete_topics(caller.loop, std::move(request));
  say_timed_out(timeout_ms, response.responses);
  co_return response;
}

BARNABAS_API(DeleteTopics)

}  // namespace barnabas::broker
