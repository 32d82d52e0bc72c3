#include "cli/produce_input.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace barnabas::cli {
namespace {

using Kind = ProduceFormat::Kind;

TEST(RecordMaker, CutsTheKeyOffOnce) {
  ProduceFormat format{.key_delimiter = "::"};
  RecordMaker maker(format);
  auto record = maker.make("t", "a::b::c");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key, "a");
  EXPECT_EQ(record->value, "b::c");
  record = maker.make("t", "plain");
  EXPECT_EQ(record->key, std::nullopt);
  EXPECT_EQ(record->value, "plain");
}

TEST(RecordMaker, AddsWhatTheFlagsSay) {
  ProduceFormat format{.key = "k", .headers = {{"h", "1"}}, .partition = 2, .timestamp = 5, .null_empty = true};
  RecordMaker maker(format);
  auto record = maker.make("t", "");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key, "k");
  EXPECT_EQ(record->value, std::nullopt);
  EXPECT_EQ(record->partition, 2);
  EXPECT_EQ(record->timestamp, 5);
  ASSERT_EQ(record->headers.size(), 1u);
}

TEST(RecordMaker, LetsTheFlagsWinOverTheJson) {
  constexpr std::string_view kLine = R"({"key":"a","value":"b","partition":7,"timestamp":9,"headers":{"x":"y"}})";
  ProduceFormat plain{.kind = Kind::kJson};
  auto record = RecordMaker(plain).make("t", kLine);
  EXPECT_EQ(record->partition, 7);
  EXPECT_EQ(record->timestamp, 9);
  ProduceFormat format{
      .kind = Kind::kJson, .key = "k", .headers = {{"h", "1"}}, .timestamp = 5, .own_partitions = false};
  RecordMaker maker(format);
  record = maker.make("t", kLine);
  EXPECT_EQ(record->key, "a") << "a key is only given to those that have none";
  EXPECT_EQ(record->partition, std::nullopt);
  EXPECT_EQ(record->timestamp, 5);
  EXPECT_EQ(record->headers.size(), 2u);
  EXPECT_FALSE(maker.make("t", "nonsense"));
}

class ProduceInputTest : public testing::Test {
 protected:
  ~ProduceInputTest() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, std::string_view content) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  std::vector<std::string> read(const ProduceFormat& format, std::vector<std::string> files) {
    ProduceInput input(format, std::move(files), interrupt_);
    std::vector<std::string> found;
    while (true) {
      auto record = input.next();
      if (!record) found.push_back(record.error());
      if (!record || !*record) return found;
      found.push_back(fmt_name(input) + "=" + std::string(**record));
    }
  }
  static std::string fmt_name(const ProduceInput& input) {
    std::string name = input.name_of(input.tag());
    size_t slash = name.rfind('/');
    size_t of = name.find(" of ");
    return slash == std::string::npos ? name
                                      : name.substr(0, of == std::string::npos ? 0 : of + 4) + name.substr(slash + 1);
  }

  Interrupt interrupt_;
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("produce_input_test." + std::to_string(getpid()));
};

TEST_F(ProduceInputTest, ReadsFilesOneAfterTheOtherAndNamesLines) {
  ProduceFormat format;
  auto found = read(format, {file("a", "1\n2"), file("b", "3\n")});
  EXPECT_EQ(found, (std::vector<std::string>{"line 1 of a=1", "line 2 of a=2", "line 1 of b=3"}));
}

TEST_F(ProduceInputTest, TakesWholeFilesAlsoEmptyOnes) {
  ProduceFormat format{.kind = Kind::kFile};
  auto found = read(format, {file("a", std::string_view("1\n\0", 3)), file("b", "")});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0].ends_with(std::string("=1\n\0", 4)));
  EXPECT_TRUE(found[1].ends_with("="));
}

TEST_F(ProduceInputTest, SkipsBlankLinesOfJsonAndCountsThem) {
  ProduceFormat format{.kind = Kind::kJson};
  EXPECT_EQ(read(format, {file("a", "\n  \n{}\n")}), std::vector<std::string>{"line 3 of a={}"});
}

TEST_F(ProduceInputTest, NamesAFileThatCannotBeRead) {
  ProduceFormat format;
  EXPECT_EQ(read(format, {"/nonexistent/file"}),
            std::vector<std::string>{"/nonexistent/file: No such file or directory"});
}

}  // namespace
}  // namespace barnabas::cli
