#include "cli/log_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "log/sparse_index.h"

namespace barnabas::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LogCheckTest : public testing::Test {
 protected:
  LogCheckTest() {
    char name[] = "/tmp/log_check_XXXXXX";
    dir_ = fs::path(::mkdtemp(name)) / "orders-0";
    fs::create_directories(dir_);
    fs::copy_file(fs::path(BARNABAS_SOURCE_DIR) / "src/wire/testdata/batches/none.log", log());
  }
  ~LogCheckTest() override { fs::remove_all(dir_.parent_path()); }

  fs::path log() const { return dir_ / "00000000000000000000.log"; }
  fs::path index() const { return dir_ / "00000000000000000000.index"; }

  void flip(const fs::path& file, std::streamoff at) const {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    char byte = static_cast<char>(stream.get() ^ 0x55);
    stream.seekp(at);
    stream.put(byte);
  }

  void write_index(std::vector<log::OffsetEntry> entries) const {
    std::ofstream stream(index(), std::ios::binary);
    for (const auto& entry : entries) {
      std::byte bytes[log::OffsetEntry::kSize];
      entry.encode(bytes);
      stream.write(reinterpret_cast<const char*>(bytes), sizeof bytes);
    }
  }

  std::vector<std::string> check() const {
    LogCheck check;
    check.add(dir_.parent_path());
    while (check.step()) {
    }
    std::vector<std::string> problems;
    for (const auto& problem : check.problems()) problems.push_back(problem.what);
    return problems;
  }

  fs::path dir_;
};

TEST_F(LogCheckTest, FindsNothingWrongWithWhatKafkaWrote) {
  EXPECT_THAT(check(), IsEmpty());
  LogCheck counts;
  counts.add(log());
  while (counts.step()) {
  }
  EXPECT_EQ(counts.segments(), 1U);
  EXPECT_GT(counts.records(), counts.batches());
  EXPECT_EQ(counts.done_bytes(), counts.total_bytes());
}

TEST_F(LogCheckTest, FindsAByteThatChanged) {
  flip(log(), 70);
  EXPECT_THAT(check(), ElementsAre(HasSubstr("checksum")));
}

TEST_F(LogCheckTest, FindsABatchThatIsCutShort) {
  fs::resize_file(log(), fs::file_size(log()) - 3);
  EXPECT_THAT(check(), ElementsAre(HasSubstr("no whole batch")));
}

TEST_F(LogCheckTest, FindsASegmentUnderTheWrongName) {
  fs::rename(log(), dir_ / "00000000000000000500.log");
  EXPECT_THAT(check(), testing::Contains(HasSubstr("where 500 or more is expected")));
}

TEST_F(LogCheckTest, ChecksAnOffsetIndexAgainstItsLog) {
  write_index({{1 << 20, 0}});
  EXPECT_THAT(check(), ElementsAre(HasSubstr("the batch at position 0 ends with")));
  write_index({{5, 1}});
  EXPECT_THAT(check(), ElementsAre(HasSubstr("there is no batch at position 1")));
  std::ofstream(index(), std::ios::app | std::ios::binary) << "x";
  EXPECT_THAT(check(), ElementsAre(HasSubstr("no whole number of entries")));
  fs::remove(log());
  write_index({{5, 1}});
  EXPECT_THAT(check(), ElementsAre(HasSubstr("no log beside it")));
}

TEST_F(LogCheckTest, TakesReservedSpaceInAnIndexForItsEnd) {
  write_index({{0, 0}, {0, 0}, {0, 0}});
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(LogCheckTest, FindsASnapshotThatIsNone) {
  std::ofstream(dir_ / "00000000000000000005.snapshot") << "not a snapshot";
  EXPECT_EQ(check().size(), 1U);
}

}  // namespace
}  // namespace barnabas::cli
