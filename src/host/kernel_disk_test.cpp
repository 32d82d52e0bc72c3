#include "host/kernel_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "host/host.h"
#include "host/run_task.h"
#include "host/testing/temp_directory.h"
#include "runtime/completion.h"

namespace barnabas::host {
namespace {

using runtime::Directory;
using runtime::File;
using runtime::OpenMode;

struct KernelDiskTest : ::testing::Test {
  testing::TempDirectory temp;
  Host host{{.loops = 1, .sync_threads = 4}};
  std::unique_ptr<Directory> directory = open(temp.path());

  std::unique_ptr<Directory> open(const std::string& path) {
    auto opened = host.world().disk.open_directory(path, true);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  std::shared_ptr<File> file(std::string_view name, OpenMode mode = OpenMode::kCreate) {
    auto opened = directory->open(name, mode);
    EXPECT_TRUE(opened) << opened.error().message;
    return *opened;
  }
  static std::string text_at(File& file, uint64_t position, size_t length) {
    std::string text(length, '?');
    auto got = file.read_at(position, std::as_writable_bytes(std::span(text)));
    EXPECT_TRUE(got);
    return text.substr(0, *got);
  }
};

TEST_F(KernelDiskTest, WritesManyPartsInOrderAndReadsThemBack) {
  auto written = file("a");
  std::string expected;
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(std::to_string(i) + (i % 7 == 0 ? "" : ","));
  texts[5].clear();
  std::vector<BytesView> parts;
  for (auto& text : texts) {
    parts.push_back(as_bytes(text));
    expected += text;
  }
  ASSERT_TRUE(written->write_at(3, parts));
  EXPECT_EQ(*written->size(), 3 + expected.size());
  EXPECT_EQ(text_at(*written, 0, 4096), std::string(3, '\0') + expected);
  EXPECT_EQ(text_at(*written, 1 << 20, 10), "") << "past the end there is nothing";
}

TEST_F(KernelDiskTest, ReservingSpaceDoesNotChangeTheSize) {
  auto reserved = file("a");
  ASSERT_TRUE(reserved->reserve(0, 1 << 20));
  EXPECT_EQ(*reserved->size(), 0u);
  ASSERT_TRUE(reserved->truncate(10));
  EXPECT_EQ(text_at(*reserved, 0, 20), std::string(10, '\0'));
}

TEST_F(KernelDiskTest, OpenModesDoWhatTheySay) {
  EXPECT_EQ(directory->open("a", OpenMode::kRead).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(directory->open("a", OpenMode::kReadWrite).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(file("a", OpenMode::kCreateExclusive)->write_at(0, as_bytes("x")));
  EXPECT_EQ(directory->open("a", OpenMode::kCreateExclusive).error().code, ErrorCode::kExists);
  EXPECT_EQ(text_at(*file("a", OpenMode::kCreate), 0, 9), "x") << "creating an existing file keeps it";
  auto read_only = file("a", OpenMode::kRead);
  EXPECT_FALSE(read_only->write_at(0, as_bytes("y")));
}

TEST_F(KernelDiskTest, ListsSortedWithSizesAndKinds) {
  ASSERT_TRUE(file("b")->write_at(0, as_bytes("12345")));
  file("a");
  ASSERT_TRUE(directory->subdirectory("c", true));
  auto entries = directory->list();
  ASSERT_TRUE(entries);
  EXPECT_EQ(*entries, (std::vector<runtime::DirectoryEntry>{{"a", false, 0}, {"b", false, 5}, {"c", true, 0}}));
}

TEST_F(KernelDiskTest, RenamesOverFilesAndRemovesFilesAndTrees) {
  ASSERT_TRUE(file("new")->write_at(0, as_bytes("new")));
  ASSERT_TRUE(file("old")->write_at(0, as_bytes("old")));
  ASSERT_TRUE(directory->rename("new", "old"));
  EXPECT_FALSE(directory->exists("new"));
  EXPECT_EQ(text_at(*file("old"), 0, 9), "new");
  ASSERT_TRUE(directory->remove("old"));
  EXPECT_EQ(directory->remove("old").error().code, ErrorCode::kNotFound);
  auto inner = directory->subdirectory("tree", true);
  ASSERT_TRUE(inner);
  ASSERT_TRUE((*inner)->open("leaf", OpenMode::kCreate));
  ASSERT_TRUE(directory->remove_tree("tree"));
  EXPECT_FALSE(directory->exists("tree"));
  EXPECT_EQ(directory->remove_tree("tree").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(directory->sync());
}

TEST_F(KernelDiskTest, RefusesNamesThatWouldLeaveTheDirectory) {
  for (std::string_view name : {"", ".", "..", "a/b", "../x"}) {
    EXPECT_EQ(directory->open(name, OpenMode::kCreate).error().code, ErrorCode::kInvalid) << name;
    EXPECT_FALSE(directory->exists(name)) << name;
    EXPECT_FALSE(directory->remove_tree(name)) << name;
  }
}

TEST_F(KernelDiskTest, MakesADirectoryWithItsParentsOrSaysThatItIsMissing) {
  std::string deep = temp.path() + "/x/y/z/";
  EXPECT_EQ(host.world().disk.open_directory(deep, false).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(host.world().disk.open_directory(deep, true));
  EXPECT_TRUE(host.world().disk.open_directory(deep, false));
  file("plain");
  EXPECT_EQ(host.world().disk.open_directory(temp.path() + "/plain", true).error().code, ErrorCode::kNotFound);
  EXPECT_GT(*directory->free_bytes(), 0u);
  EXPECT_GE(*directory->total_bytes(), *directory->free_bytes());
}

TEST_F(KernelDiskTest, TheBootIdStaysWhileTheMachineRuns) {
  std::string id = host.world().disk.boot_id();
  EXPECT_EQ(id.size(), 36u) << id;
  EXPECT_EQ(id, host.world().disk.boot_id());
}

TEST_F(KernelDiskTest, KeepsTimeAndMode) {
  auto dated = file("a");
  ASSERT_TRUE(dated->set_modified_at(1'700'000'000'123));
  EXPECT_EQ(*dated->modified_at(), 1'700'000'000'123);
  ASSERT_TRUE(directory->set_mode("a", 0400));
}

TEST_F(KernelDiskTest, ADirectoryIsLockedOnceEvenWithinOneProcess) {
  auto first = directory->lock(".lock");
  ASSERT_TRUE(first);
  auto second = open(temp.path())->lock(".lock");
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
  first->reset();
  EXPECT_TRUE(directory->lock(".lock"));
}

// What Java's FileChannel.tryLock does.
TEST_F(KernelDiskTest, TheLockConflictsWithAPosixLockOfAnotherProcess) {
  int ready[2];
  int done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  std::string path = temp.path() + "/.lock";
  pid_t child = fork();
  if (child == 0) {
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0644);
    struct flock whole{};
    whole.l_type = F_WRLCK;
    char byte = fcntl(fd, F_SETLK, &whole) == 0 ? 'y' : 'n';
    [[maybe_unused]] auto told = ::write(ready[1], &byte, 1);
    [[maybe_unused]] auto asked = ::read(done[0], &byte, 1);
    _exit(0);
  }
  char byte = 'n';
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_EQ(directory->lock(".lock").error().code, ErrorCode::kBusy);
  ASSERT_EQ(::write(done[1], "x", 1), 1);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(directory->lock(".lock"));
  for (int fd : {ready[0], ready[1], done[0], done[1]}) ::close(fd);
}

TEST_F(KernelDiskTest, ReplacesAWholeFileAndReadsItBackWithinALimit) {
  ASSERT_TRUE(runtime::replace_file(*directory, "meta", as_bytes("one")));
  ASSERT_TRUE(runtime::replace_file(*directory, "meta", as_bytes("three")));
  auto content = runtime::read_file(*directory, "meta");
  ASSERT_TRUE(content);
  EXPECT_EQ(as_text(*content), "three");
  EXPECT_EQ(runtime::read_file(*directory, "meta", 4).error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(directory->exists("meta.tmp"));
}

runtime::Task<int> sync_many(runtime::World& world, std::vector<std::shared_ptr<File>> files) {
  std::vector<runtime::Completion<Result<>>> done(files.size());
  runtime::Executor& home = *world.loops[0];
  for (size_t i = 0; i < files.size(); ++i) {
    files[i]->sync_async(home, [one = done[i], &home](Result<> result) {
      CHECK(home.is_current());
      one.set(std::move(result));
    });
  }
  files.clear();  // each stays open until its sync is over
  int synced = 0;
  for (auto& one : done) {
    auto result = co_await one.wait(home);
    if (*result) ++synced;
  }
  co_return synced;
}

TEST_F(KernelDiskTest, SyncsManyFilesOffTheLoop) {
  std::vector<std::shared_ptr<File>> files;
  for (int i = 0; i < 20; ++i) {
    files.push_back(file(std::to_string(i)));
    ASSERT_TRUE(files.back()->write_at(0, as_bytes("content")));
  }
  EXPECT_EQ(run_task(host, sync_many(host.world(), std::move(files))), 20);
}

}  // namespace
}  // namespace barnabas::host
