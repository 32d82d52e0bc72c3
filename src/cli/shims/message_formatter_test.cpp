#include "cli/shims/message_formatter.h"

#include <gtest/gtest.h>

namespace barnabas::cli::shims {
namespace {

constexpr std::string_view kDefault = "org.apache.kafka.tools.consumer.DefaultMessageFormatter";

client::ConsumerRecord record() {
  client::ConsumerRecord record;
  record.topic = "t";
  record.partition = 1;
  record.offset = 7;
  record.timestamp = 1700000000000;
  record.timestamp_type = client::TimestampType::kCreateTime;
  record.key = "k";
  record.value = "v";
  return record;
}

std::string text(const std::map<std::string, std::string>& properties, const client::ConsumerRecord& one) {
  return MessageFormatter::make(kDefault, properties)->text(one);
}

TEST(MessageFormatterTest, PrintsTheValueAlone) {
  EXPECT_EQ(text({}, record()), "v\n");
}

TEST(MessageFormatterTest, PrintsPartsInKafkasOrder) {
  EXPECT_EQ(text({{"print.key", "true"},
                  {"print.timestamp", " TRUE "},
                  {"print.partition", "true"},
                  {"print.offset", "true"},
                  {"print.headers", "true"}},
                 record()),
            "CreateTime:1700000000000\tPartition:1\tOffset:7\tNO_HEADERS\tk\tv\n");
}

TEST(MessageFormatterTest, KnowsSeparatorsAndNulls) {
  auto one = record();
  one.value = std::nullopt;
  EXPECT_EQ(
      text({{"print.key", "true"}, {"key.separator", "="}, {"line.separator", ";"}, {"null.literal", "NIL"}}, one),
      "k=NIL;");
  EXPECT_EQ(text({{"print.value", "false"}}, one), "");
}

TEST(MessageFormatterTest, DecodesNumbersOfTheRightSize) {
  auto one = record();
  one.value = std::string_view("\0\0\0\0\0\0\1\2", 8);
  std::string name = "org.apache.kafka.common.serialization.LongDeserializer";
  EXPECT_EQ(text({{"value.deserializer", name}}, one), "258\n");
  one.value = "short";
  EXPECT_EQ(text({{"value.deserializer", name}}, one), "short\n");
}

TEST(MessageFormatterTest, KnowsOnlyKafkasOwnClasses) {
  EXPECT_FALSE(MessageFormatter::make("com.example.Formatter", {}));
  EXPECT_FALSE(MessageFormatter::make("org.apache.kafka.tools.consumer.Other", {}));
  EXPECT_EQ(MessageFormatter::make("kafka.tools.NoOpMessageFormatter", {})->text(record()), "");
}

}  // namespace
}  // namespace barnabas::cli::shims
