// Configuration as administration sees it: DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, ListConfigResources.

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/testing/test_broker.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/describe_configs_request.h"
#include "wire/messages/describe_configs_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/list_config_resources_request.h"
#include "wire/messages/list_config_resources_response.h"

namespace barnabas::broker {
namespace {

using testing::TestBroker;
using wire::DescribeConfigsRequest;
using wire::DescribeConfigsResponse;
using wire::IncrementalAlterConfigsRequest;
using wire::IncrementalAlterConfigsResponse;
using wire::KafkaError;

constexpr int8_t kTopic = 2;
constexpr int8_t kBroker = 4;
constexpr int8_t kLogger = 8;
constexpr int8_t kClientMetrics = 16;
constexpr int8_t kGroup = 32;
constexpr int8_t kSet = 0;
constexpr int8_t kDelete = 1;
constexpr int8_t kAppend = 2;

struct ConfigsTest : ::testing::Test {
  static DescribeConfigsRequest describe_request(int8_t type, const std::string& name,
                                                 std::optional<std::vector<std::string>> keys = std::nullopt) {
    DescribeConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = name;
    resource.configuration_keys = std::move(keys);
    return request;
  }
  DescribeConfigsResponse::DescribeConfigsResult describe(int8_t type, const std::string& name,
                                                          std::optional<std::vector<std::string>> keys = std::nullopt) {
    return broker.ask<DescribeConfigsResponse>(describe_request(type, name, std::move(keys))).results.at(0);
  }
  IncrementalAlterConfigsResponse::AlterConfigsResourceResponse alter(int8_t type, const std::string& name,
                                                                      const std::string& key,
                                                                      std::optional<std::string> value,
                                                                      int8_t operation = kSet) {
    IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = name;
    auto& config = resource.configs.emplace_back();
    config.name = key;
    config.config_operation = operation;
    config.value = std::move(value);
    return broker.ask<IncrementalAlterConfigsResponse>(request).responses.at(0);
  }

  TestBroker broker;
};

TEST_F(ConfigsTest, TopicHasAllKeysUnlessSomeAreNamed) {
  broker.create_topic("t");
  EXPECT_EQ(describe(kTopic, "t").configs.size(), 33u);
  EXPECT_EQ(describe(kTopic, "t", std::vector<std::string>()).configs.size(), 33u);
  auto some = describe(kTopic, "t", std::vector<std::string>{"retention.ms", "no.such.key"});
  ASSERT_EQ(some.configs.size(), 1u);
  EXPECT_EQ(some.configs[0].value, "604800000");
  EXPECT_TRUE(some.configs[0].synonyms.empty());
  EXPECT_FALSE(some.configs[0].documentation);
}

TEST_F(ConfigsTest, SynonymsAndDocumentationComeWhenAskedFor) {
  broker.create_topic("t");
  auto request = describe_request(kTopic, "t", std::vector<std::string>{"segment.bytes"});
  request.include_synonyms = true;
  request.include_documentation = true;
  auto config = broker.ask<DescribeConfigsResponse>(request).results.at(0).configs.at(0);
  EXPECT_FALSE(config.synonyms.empty());
  EXPECT_TRUE(config.documentation && !config.documentation->empty());
}

TEST_F(ConfigsTest, UnknownTopicHasNoMessage) {
  auto result = describe(kTopic, "unknown");
  EXPECT_EQ(result.error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(result.error_message, "");
  EXPECT_TRUE(result.configs.empty());
}

TEST_F(ConfigsTest, BrokerKnowsItselfOnly) {
  EXPECT_GT(describe(kBroker, broker.id_text()).configs.size(), 300u);
  auto other = describe(kBroker, "77");
  EXPECT_EQ(other.error_code, KafkaError::kInvalidRequest);
  EXPECT_FALSE(other.error_message->empty());
  EXPECT_EQ(describe(kBroker, "x").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(kBroker, "77", "log.retention.ms", "5").error_code, KafkaError::kInvalidRequest);
}

TEST_F(ConfigsTest, ClusterDefaultShowsOnlyWhatIsSet) {
  EXPECT_TRUE(describe(kBroker, "").configs.empty());
  EXPECT_EQ(alter(kBroker, "", "log.retention.ms", "5000").error_code, KafkaError::kNone);
  EXPECT_EQ(describe(kBroker, "").configs.size(), 1u);
  broker.create_topic("t");
  auto topic = describe(kTopic, "t", std::vector<std::string>{"retention.ms"}).configs.at(0);
  EXPECT_EQ(topic.value, "5000");
  EXPECT_EQ(topic.config_source, 3);
}

TEST_F(ConfigsTest, TopicIsChangedKeyByKey) {
  broker.create_topic("t");
  auto set = alter(kTopic, "t", "retention.ms", "1234");
  EXPECT_EQ(set.error_code, KafkaError::kNone);
  EXPECT_FALSE(set.error_message);
  auto changed = describe(kTopic, "t", std::vector<std::string>{"retention.ms"}).configs.at(0);
  EXPECT_EQ(changed.value, "1234");
  EXPECT_EQ(changed.config_source, 1);
  EXPECT_EQ(broker.broker().topic_config("t")->retention_ms, 1234);
  EXPECT_EQ(alter(kTopic, "t", "retention.ms", std::nullopt, kDelete).error_code, KafkaError::kNone);
  EXPECT_EQ(broker.broker().topic_config("t")->retention_ms, 604800000);
}

TEST_F(ConfigsTest, WrongChangesAreRefusedAsKafkaRefusesThem) {
  broker.create_topic("t");
  EXPECT_EQ(alter(kTopic, "unknown", "retention.ms", "5").error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(alter(kTopic, "t", "no.such.key", "5").error_code, KafkaError::kInvalidConfig);
  EXPECT_EQ(alter(kTopic, "t", "retention.ms", "x").error_code, KafkaError::kInvalidConfig);
  EXPECT_EQ(alter(kTopic, "t", "retention.ms", std::nullopt).error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(kTopic, "t", "retention.ms", std::nullopt, kDelete).error_code, KafkaError::kNone);
  EXPECT_EQ(alter(kTopic, "t", "retention.ms", "5", 2).error_code, KafkaError::kInvalidConfig);
  EXPECT_EQ(alter(kTopic, "t", "retention.ms", "5", 9).error_code, KafkaError::kUnknownServerError);
  EXPECT_EQ(alter(kBroker, broker.id_text(), "process.roles", "broker").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(0, "x", "a", "b").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(77, "x", "a", "b").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(kGroup, "", "consumer.session.timeout.ms", "50000").error_code, KafkaError::kInvalidRequest);
}

TEST_F(ConfigsTest, EachResourceOfARequestIsAnsweredInItsPlace) {
  broker.create_topic("t");
  IncrementalAlterConfigsRequest request;
  for (const char* name : {"unknown", "t"}) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kTopic;
    resource.resource_name = name;
    auto& config = resource.configs.emplace_back();
    config.name = "retention.ms";
    config.value = "77";
  }
  auto& broken = request.resources.emplace_back(request.resources[1]);
  broken.resource_type = kBroker;
  broken.resource_name = "77";
  auto rows = broker.ask<IncrementalAlterConfigsResponse>(request).responses;
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(rows[1].error_code, KafkaError::kNone);
  EXPECT_EQ(rows[2].error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(broker.broker().topic_config("t")->retention_ms, 77);
}

TEST_F(ConfigsTest, ValidationAloneChangesNothing) {
  broker.create_topic("t");
  IncrementalAlterConfigsRequest request;
  request.validate_only = true;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = kTopic;
  resource.resource_name = "t";
  auto& config = resource.configs.emplace_back();
  config.name = "retention.ms";
  config.value = "77";
  EXPECT_EQ(broker.ask<IncrementalAlterConfigsResponse>(request).responses.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(broker.broker().topic_config("t")->retention_ms, 604800000);
}

TEST_F(ConfigsTest, OldAlterReplacesEverything) {
  broker.create_topic("t", 1, {{"retention.ms", "77"}});
  wire::AlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = kTopic;
  resource.resource_name = "t";
  auto& config = resource.configs.emplace_back();
  config.name = "segment.ms";
  config.value = "5000";
  EXPECT_EQ(broker.ask<wire::AlterConfigsResponse>(request).responses.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(broker.broker().topic_config("t")->retention_ms, 604800000);
  EXPECT_EQ(broker.broker().topic_config("t")->segment_ms, 5000);
}

TEST_F(ConfigsTest, LoggersShowTheirLevelsAndTakeOthers) {
  const std::string self = broker.id_text();
  auto level_of = [&](const std::string& name) {
    auto rows = describe(kLogger, self, {{name}}).configs;
    return rows.size() == 1 ? rows[0].value.value_or("null") : "not there";
  };
  auto all = describe(kLogger, self).configs;
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].name, "kafka.request.logger");
  EXPECT_EQ(all[2].name, "root");
  EXPECT_EQ(all[2].value, "INFO");
  EXPECT_EQ(all[2].config_source, 6);
  EXPECT_FALSE(all[2].read_only);

  EXPECT_EQ(alter(kLogger, self, "root", "ERROR").error_code, KafkaError::kNone);
  EXPECT_EQ(level_of("kafka.server"), "ERROR");
  EXPECT_EQ(alter(kLogger, self, "kafka.server", "TRACE").error_code, KafkaError::kNone);
  EXPECT_EQ(level_of("kafka.server"), "TRACE");
  EXPECT_EQ(alter(kLogger, self, "kafka.server", std::nullopt, kDelete).error_code, KafkaError::kNone);
  EXPECT_EQ(level_of("kafka.server"), "ERROR");
  EXPECT_EQ(broker.broker().image()->config({metadata::ResourceType::kBrokerLogger, self}).size(), 0u);
}

TEST_F(ConfigsTest, WhatLoggersDoNotTake) {
  const std::string self = broker.id_text();
  EXPECT_EQ(describe(kLogger, "").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(describe(kLogger, "77").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(kLogger, "77", "root", "INFO").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(kLogger, "me", "root", "INFO").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(kLogger, self, "kafka.nothing", "DEBUG").error_code, KafkaError::kInvalidConfig);
  EXPECT_EQ(alter(kLogger, self, "root", "LOUD").error_code, KafkaError::kInvalidConfig);
  EXPECT_EQ(alter(kLogger, self, "root", "debug").error_code, KafkaError::kInvalidConfig);
  EXPECT_EQ(alter(kLogger, self, "root", std::nullopt).error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(kLogger, self, "root", std::nullopt, kDelete).error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(alter(kLogger, self, "root", "INFO", kAppend).error_message,
            "APPEND operation is not allowed for the BROKER_LOGGER resource");
}

TEST_F(ConfigsTest, AChangeOfLoggersIsMadeWhollyOrNotAtAllAndNeverForATry) {
  IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = kLogger;
  resource.resource_name = broker.id_text();
  auto add = [&resource](const std::string& name, const std::string& level) {
    auto& config = resource.configs.emplace_back();
    config.name = name;
    config.value = level;
  };
  add("kafka.server", "DEBUG");
  add("root", "LOUD");
  EXPECT_EQ(broker.ask<IncrementalAlterConfigsResponse>(request).responses.at(0).error_code,
            KafkaError::kInvalidConfig);
  resource.configs.pop_back();
  request.validate_only = true;
  EXPECT_EQ(broker.ask<IncrementalAlterConfigsResponse>(request).responses.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(broker.broker().loggers().levels().at("kafka.server"), runtime::LogLevel::kInfo);
}

TEST_F(ConfigsTest, TheRequestLoggerTellsOfRequestsWhenItIsAsked) {
  auto lines_of_requests = [this] {
    return std::ranges::count_if(broker.log_lines(),
                                 [](const std::string& line) { return line.starts_with("DescribeConfigs version"); });
  };
  describe(kBroker, broker.id_text());
  EXPECT_EQ(lines_of_requests(), 0);
  alter(kLogger, broker.id_text(), "kafka.request.logger", "DEBUG");
  describe(kBroker, broker.id_text());
  EXPECT_EQ(lines_of_requests(), 1);
}

TEST_F(ConfigsTest, GroupsAndSubscriptionsHaveConfigs) {
  EXPECT_EQ(describe(kGroup, "").error_code, KafkaError::kInvalidRequest);
  EXPECT_FALSE(describe(kGroup, "g").configs.empty());
  EXPECT_EQ(describe(kClientMetrics, "").error_code, KafkaError::kInvalidRequest);
  EXPECT_EQ(describe(77, "x").error_code, KafkaError::kInvalidRequest);
}

TEST_F(ConfigsTest, ResourcesAreListedByType) {
  broker.create_topic("t");
  EXPECT_EQ(alter(kGroup, "g", "consumer.session.timeout.ms", "50000").error_code, KafkaError::kNone);
  auto list = [this](std::vector<int8_t> types, int16_t version = 1) {
    wire::ListConfigResourcesRequest request;
    request.resource_types = std::move(types);
    return broker.ask<wire::ListConfigResourcesResponse>(request, version);
  };
  EXPECT_EQ(list({}).config_resources.size(), 4u);  // topic, broker, its loggers, group
  auto groups = list({kGroup});
  ASSERT_EQ(groups.config_resources.size(), 1u);
  EXPECT_EQ(groups.config_resources[0].resource_name, "g");
  EXPECT_EQ(groups.config_resources[0].resource_type, kGroup);
  EXPECT_TRUE(list({}, 0).config_resources.empty());
  EXPECT_EQ(list({77}).error_code, KafkaError::kUnsupportedVersion);
}

}  // namespace
}  // namespace barnabas::broker
