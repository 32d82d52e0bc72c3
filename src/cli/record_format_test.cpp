#include "cli/record_format.h"

#include <gtest/gtest.h>

#include "cli/testing/sample_record.h"

namespace barnabas::cli {
namespace {

std::string formatted(std::string_view format, const SampleRecord& sample, std::string null_text = {}) {
  auto parsed = RecordFormat::parse(format, std::move(null_text));
  if (!parsed) return "error: " + parsed.error();
  std::string out;
  parsed->append(out, sample.record());
  return out;
}

TEST(RecordFormat, HasKcatsTokens) {
  SampleRecord sample("k", "value", {{"a", "1"}, {"b", ""}, {"c", std::nullopt}});
  EXPECT_EQ(formatted(R"(%t[%p]@%o %T %k/%K %s/%S %h 100%%\n)", sample),
            "orders[3]@42 1000 k/1 value/5 a=1,b=,c=NULL 100%\n");
}

TEST(RecordFormat, TellsNullFromEmpty) {
  EXPECT_EQ(formatted("%K %S|%k|%s|", SampleRecord(std::nullopt, std::nullopt)), "-1 -1|||");
  EXPECT_EQ(formatted("%K %S|%k|%s|", SampleRecord("", "")), "0 0|||");
  EXPECT_EQ(formatted("%k|%s", SampleRecord(std::nullopt, std::nullopt), "NULL"), "NULL|NULL");
}

TEST(RecordFormat, WritesTheLengthAsFourBytes) {
  EXPECT_EQ(formatted("%R", SampleRecord({}, std::string(258, 'x'))), std::string("\0\0\1\2", 4));
  EXPECT_EQ(formatted("%R", SampleRecord({}, std::nullopt)), "\xff\xff\xff\xff");
}

TEST(RecordFormat, PassesBytesAsTheyAre) {
  std::string bytes("\0\xff\n%s", 5);
  EXPECT_EQ(formatted("%s", SampleRecord({}, bytes)), bytes);
}

TEST(RecordFormat, SaysWhatIsWrong) {
  EXPECT_EQ(formatted("%z", SampleRecord({}, {})),
            "error: there is no %z; there are %s %S %R %k %K %T %t %p %o %h and %%");
  EXPECT_TRUE(formatted("%", SampleRecord({}, {})).starts_with("error: a token is missing"));
  EXPECT_TRUE(formatted("\\x", SampleRecord({}, {})).starts_with("error: "));
}

}  // namespace
}  // namespace barnabas::cli
