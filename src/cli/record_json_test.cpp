#include "cli/record_json.h"

#include <gtest/gtest.h>

#include "cli/testing/sample_record.h"

namespace barnabas::cli {
namespace {

std::string json(const SampleRecord& sample) {
  std::string out;
  append_json_record(out, sample.record());
  return out;
}

std::string error(std::string_view line) {
  auto parsed = parse_json_record(line);
  return parsed ? "" : parsed.error();
}

TEST(RecordJson, IsOneLineWithItsFieldsInOrder) {
  EXPECT_EQ(json(SampleRecord("k", "a\n\"b\"\\\x01", {{"h", "1"}, {"h", std::nullopt}})),
            R"({"_v":1,"topic":"orders","partition":3,"offset":42,"timestamp":1000,"key":"k",)"
            R"("value":"a\n\"b\"\\\u0001","headers":[{"key":"h","value":"1"},{"key":"h","value":null}]})");
}

TEST(RecordJson, MarksBytesThatAreNoText) {
  EXPECT_EQ(json(SampleRecord(std::nullopt, "\xff\x00")),
            R"({"_v":1,"topic":"orders","partition":3,"offset":42,"timestamp":1000,"key":null,)"
            R"("value":"/w==","value_encoding":"base64","headers":[]})");
}

TEST(RecordJson, ReadsWhatItPrints) {
  std::string binary("\0\x80\n", 3);
  SampleRecord sample(binary, std::nullopt, {{"a", binary}, {"a", ""}, {"n", std::nullopt}});
  auto parsed = parse_json_record(json(sample));
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->key, binary);
  EXPECT_EQ(parsed->value, std::nullopt);
  EXPECT_EQ(parsed->partition, 3);
  EXPECT_EQ(parsed->timestamp, 1000);
  ASSERT_EQ(parsed->headers.size(), 3u);
  EXPECT_EQ(parsed->headers[0], (std::pair<std::string, std::optional<std::string>>("a", binary)));
  EXPECT_EQ(parsed->headers[1].second, "");
  EXPECT_EQ(parsed->headers[2].second, std::nullopt);
}

TEST(RecordJson, ReadsWhatAPersonWrites) {
  auto parsed = parse_json_record(R"({"key":7,"value":{"b":[1,2],"a":null},"headers":{"x":"1","y":null}})");
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->key, "7");
  EXPECT_EQ(parsed->value, R"({"b":[1,2],"a":null})");
  EXPECT_EQ(parsed->partition, std::nullopt);
  EXPECT_EQ(parsed->timestamp, std::nullopt);
  ASSERT_EQ(parsed->headers.size(), 2u);
  EXPECT_EQ(parsed->headers[1].second, std::nullopt);
}

TEST(RecordJson, ReadsKcats) {
  auto parsed = parse_json_record(
      R"({"topic":"t","partition":1,"offset":0,"tstype":"create","ts":5,"broker":1,"headers":["a","1","b",null],"key":null,"payload":"v"})");
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->value, "v");
  EXPECT_EQ(parsed->timestamp, 5);
  ASSERT_EQ(parsed->headers.size(), 2u);
  EXPECT_EQ(parsed->headers[1].second, std::nullopt);
}

TEST(RecordJson, SaysWhatIsWrong) {
  EXPECT_EQ(error("{"), "no JSON at byte 2");
  EXPECT_EQ(error("[1]"), R"(want a JSON object, as {"key":"a","value":"b"})");
  EXPECT_EQ(error(R"({"vlaue":"a","key":"b"})"), R"(there is no field "vlaue"; did you mean "value"?)");
  EXPECT_EQ(error("{}"), R"(there is neither "key" nor "value")");
  EXPECT_EQ(error(R"({"value":"a","partition":"b"})"), "partition: want a number");
  EXPECT_EQ(error(R"({"value":"a","partition":-2})"), "partition: want a number");
  EXPECT_EQ(error(R"({"value":"a","partition":4294967296})"), "partition: want a number");
  EXPECT_EQ(error(R"({"value":"a","timestamp":18446744073709551615})"), "timestamp: want a number");
  EXPECT_EQ(error(R"({"value":"?","value_encoding":"base64"})"), "value is not base64");
  EXPECT_EQ(error(R"({"value":"a","value_encoding":"hex"})"), R"(value_encoding: want "base64")");
  EXPECT_EQ(error(R"({"value":"a","headers":3})"), "headers: want an object or a list");
  EXPECT_EQ(error(R"({"value":"a","headers":["a"]})"), "headers: the last one has no value");
  EXPECT_EQ(error(R"({"value":"a","headers":[{"value":"a"}]})"), "headers: one has no key");
  EXPECT_EQ(error(R"({"value":"a","headers":[{"key":"a"},4]})"), "headers: one has no key");
}

}  // namespace
}  // namespace barnabas::cli
