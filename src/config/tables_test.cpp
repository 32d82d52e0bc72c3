#include "config/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/value.h"

namespace barnabas::config {
namespace {

size_t described(const KeyTable& table) {
  return std::ranges::count(table.rows(), true, &KeyInfo::described);
}

TEST(Tables, KnowEveryKeyOfKafka43) {
  EXPECT_EQ(broker_keys().rows().size(), 360u);
  EXPECT_EQ(described(broker_keys()), 340u);
  EXPECT_EQ(topic_keys().rows().size(), 34u);
  EXPECT_EQ(described(topic_keys()), 33u);
  EXPECT_EQ(group_keys().rows().size(), 17u);
  EXPECT_EQ(client_metrics_keys().rows().size(), 3u);
}

TEST(Tables, EveryRowIsFoundByItsNameAndDescribesItself) {
  for (const KeyTable* table :
       {&broker_keys(), &topic_keys(), &group_keys(), &client_metrics_keys(), &own_keys(), &extra_keys()}) {
    for (const KeyInfo& row : table->rows()) {
      EXPECT_EQ(table->find(row.name), &row) << row.name;
      EXPECT_FALSE(row.documentation.empty()) << row.name;
      for (const KeySynonym& synonym : row.synonyms) EXPECT_NE(broker_keys().find(synonym.name), nullptr) << row.name;
      if (row.sensitive) EXPECT_EQ(row.type, KeyType::kPassword) << row.name;
    }
    EXPECT_EQ(table->find("no.such.key"), nullptr);
    EXPECT_EQ(table->find(""), nullptr);
  }
}

TEST(Tables, EveryDefaultChecksOutAndIsCanonical) {
  for (const KeyTable* table :
       {&broker_keys(), &topic_keys(), &group_keys(), &client_metrics_keys(), &own_keys(), &extra_keys()}) {
    for (const KeyInfo& row : table->rows()) {
      if (!row.default_value) continue;
      const auto canonical = check_value(row, *row.default_value);
      ASSERT_TRUE(canonical.has_value()) << canonical.error().message;
      EXPECT_EQ(*canonical, *row.default_value) << row.name;
    }
  }
}

TEST(Tables, ThreeBrokerKeysMustBeSet) {
  std::vector<std::string_view> required;
  for (const KeyInfo& row : broker_keys().rows())
    if (row.required) required.push_back(row.name);
  EXPECT_THAT(required, testing::ElementsAre("controller.listener.names", "node.id", "process.roles"));
}

TEST(Tables, ARowSaysWhatKafkaSays) {
  const KeyInfo& hours = *broker_keys().find("log.retention.hours");
  EXPECT_EQ(hours.type, KeyType::kInt);
  EXPECT_EQ(hours.default_value, "168");
  EXPECT_EQ(hours.update_mode, UpdateMode::kReadOnly);
  const KeyInfo& ms = *broker_keys().find("log.retention.ms");
  EXPECT_EQ(ms.default_value, std::nullopt);
  EXPECT_EQ(ms.update_mode, UpdateMode::kClusterWide);
  ASSERT_EQ(ms.synonyms.size(), 2u);
  EXPECT_EQ(ms.synonyms[1].name, "log.retention.hours");
  EXPECT_EQ(ms.synonyms[1].factor, 3600000);
  EXPECT_EQ(broker_keys().find("listeners")->update_mode, UpdateMode::kPerBroker);
  EXPECT_FALSE(topic_keys().find("internal.segment.bytes")->described);
}

TEST(Tables, AListenerPrefixIsLookedThrough) {
  EXPECT_EQ(find_node_key("listener.name.sasl.scram-sha-256.sasl.jaas.config"), broker_keys().find("sasl.jaas.config"));
  EXPECT_EQ(find_node_key("listener.name.external.ssl.keystore.location"), broker_keys().find("ssl.keystore.location"));
  EXPECT_EQ(find_node_key("listener.name.external.nonsense"), nullptr);
  EXPECT_EQ(find_node_key("listener.name.external"), nullptr);
  EXPECT_EQ(find_node_key("barnabas.durability"), own_keys().find("barnabas.durability"));
  EXPECT_EQ(find_node_key("super.users"), extra_keys().find("super.users"));
}

TEST(Tables, ATypingErrorHasANearestKey) {
  EXPECT_EQ(nearest_key(broker_keys(), "log.retention.hour"), "log.retention.hours");
  EXPECT_EQ(nearest_key(broker_keys(), "advertized.listeners"), "advertised.listeners");
  EXPECT_EQ(nearest_key(broker_keys(), "zzzzzzzzzzzz"), "");
  EXPECT_EQ(nearest_key(broker_keys(), std::string(100000, 'x')), "");
}

}  // namespace
}  // namespace barnabas::config
