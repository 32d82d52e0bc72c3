#include "sim/sim_disk.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "runtime/completion.h"
#include "sim/machine.h"
#include "sim/simulation.h"

namespace barnabas::sim {
namespace {

using runtime::Directory;
using runtime::File;
using runtime::OpenMode;
using runtime::Task;
using runtime::World;

struct Box {
  explicit Box(uint64_t seed) : simulation(seed) {}
  Simulation simulation;
  Machine& machine = simulation.add_machine("m");
  SimDisk& disk = machine.disk();

  std::unique_ptr<Directory> directory(const std::string& path = "/data") {
    auto opened = machine.world().disk.open_directory(path, true);
    CHECK(opened);
    return std::move(*opened);
  }
  std::string text(const std::string& path) {
    auto content = disk.content(path);
    return content ? std::string(as_text(*content)) : "(none)";
  }
};

std::shared_ptr<File> create(Directory& directory, std::string_view name, std::string_view text) {
  auto file = directory.open(name, OpenMode::kCreate);
  CHECK(file);
  CHECK((*file)->write_at(0, as_bytes(text)));
  return *file;
}

std::string pattern(size_t size, char first) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + (i / 512) % 20);
  return text;
}

TEST(SimDisk, WhatIsSyncedSurvivesThePowerAndTheKill) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Box box(seed);
    auto directory = box.directory();
    auto file = create(*directory, "log", pattern(5000, 'a'));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(directory->sync());
    ASSERT_TRUE(file->write_at(5000, as_bytes(pattern(3000, 'n'))));
    box.machine.kill();
    EXPECT_EQ(box.text("/data/log").size(), 8000u) << "the page cache survives a kill";
    EXPECT_EQ(file->write_at(0, as_bytes("late")).error().code, ErrorCode::kIo);
    box.machine.power_off();
    std::string left = box.text("/data/log");
    ASSERT_GE(left.size(), 5000u);
    EXPECT_EQ(left.substr(0, 5000), pattern(5000, 'a')) << "seed " << seed;
  }
}

TEST(SimDisk, WhatIsNotSyncedMayBeLostSurviveOrBeTorn) {
  int nothing = 0;
  int everything = 0;
  int torn = 0;
  int zeros = 0;
  std::string written = pattern(6000, 'a');
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Box box(seed);
    auto directory = box.directory();
    auto file = create(*directory, "log", "");
    ASSERT_TRUE(directory->sync());
    ASSERT_TRUE(file->write_at(0, as_bytes(written)));
    box.machine.power_off();
    std::string left = box.text("/data/log");
    if (left.empty()) {
      ++nothing;
    } else if (left == written) {
      ++everything;
    } else {
      ++torn;
      for (size_t at = 0; at < left.size(); at += 512) {
        std::string sector = left.substr(at, 512);
        bool kept = sector == written.substr(at, sector.size());
        bool empty = sector == std::string(sector.size(), '\0');
        EXPECT_TRUE(kept || empty) << "a sector is old or new";
        if (empty) ++zeros;
      }
    }
  }
  EXPECT_GT(nothing, 20);
  EXPECT_GT(everything, 20);
  EXPECT_GT(torn, 20);
  EXPECT_GT(zeros, 20);
}

TEST(SimDisk, AnUnsyncedTruncationMayComeBack) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Box box(seed);
    auto directory = box.directory();
    auto file = create(*directory, "log", "old old old");
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(directory->sync());
    ASSERT_TRUE(file->truncate(3));
    box.machine.power_off();
    outcomes.insert(box.text("/data/log"));
  }
  EXPECT_TRUE(outcomes.contains("old"));
  EXPECT_TRUE(outcomes.contains("old old old"));
  outcomes.erase(std::string("old") + std::string(8, '\0'));  // the old size with the new bytes, also possible
  EXPECT_EQ(outcomes.size(), 2u);
}

TEST(SimDisk, ASyncedTruncationStays) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Box box(seed);
    auto directory = box.directory();
    auto file = create(*directory, "log", pattern(4000, 'a'));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(directory->sync());
    ASSERT_TRUE(file->truncate(700));
    ASSERT_TRUE(file->write_at(700, as_bytes("more")));
    ASSERT_TRUE(file->sync());
    box.machine.power_off();
    EXPECT_EQ(box.text("/data/log"), pattern(700, 'a') + "more");
  }
}

TEST(SimDisk, NamesNeedADirectorySync) {
  int there = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Box box(seed);
    auto directory = box.directory();
    auto file = create(*directory, "new", "content");
    ASSERT_TRUE(file->sync());
    box.machine.power_off();
    std::string left = box.text("/data/new");
    EXPECT_TRUE(left == "(none)" || left == "content") << left;
    there += left == "content";
  }
  EXPECT_GT(there, 10);
  EXPECT_LT(there, 90);
}

// The rule of checkpoints: after a power loss at any operation there is the old content or the new.
TEST(SimDisk, ReplacingAFileIsAtomicWhereverThePowerFails) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    for (uint64_t crash_at = 1; crash_at < 10; ++crash_at) {
      Box box(seed);
      auto directory = box.directory();
      ASSERT_TRUE(runtime::replace_file(*directory, "checkpoint", as_bytes("old")));
      uint64_t from = box.disk.operations();
      box.disk.on_operation([&](const SimDisk::Operation& operation) {
        if (operation.number == from + crash_at) box.machine.power_off();
      });
      auto replaced = runtime::replace_file(*directory, "checkpoint", as_bytes("new"));
      box.machine.power_off();
      std::string left = box.text("/data/checkpoint");
      EXPECT_TRUE(left == "new" || (left == "old" && !replaced)) << left << " seed " << seed << " at " << crash_at;
      outcomes.insert(left);
    }
  }
  EXPECT_EQ(outcomes.size(), 2u);
}

TEST(SimDisk, RemovedTreesMayComeBackInPart) {
  std::set<size_t> counts;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Box box(seed);
    auto directory = box.directory();
    auto topic = *directory->subdirectory("topic-0", true);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(create(*topic, std::to_string(i), "x")->sync());
    ASSERT_TRUE(topic->sync());
    ASSERT_TRUE(directory->sync());
    ASSERT_TRUE(directory->remove_tree("topic-0"));
    EXPECT_TRUE(box.disk.files().empty());
    box.machine.power_off();
    counts.insert(box.disk.files().size());
  }
  EXPECT_TRUE(counts.contains(0));
  EXPECT_TRUE(counts.contains(3));
  EXPECT_GT(counts.size(), 2u);
}

// ---- sync off the loop

Task<Result<>> sync_on_loop(World& world, std::shared_ptr<File> file) {
  runtime::Completion<Result<>> done;
  file->sync_async(*world.loops[0], [done](Result<> result) { done.set(std::move(result)); });
  auto result = co_await done.wait(*world.loops[0]);
  co_return *std::move(result);
}

TEST(SimDisk, ASyncCoversWhatWasWrittenBeforeItBegan) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Box box(seed);
    auto directory = box.directory();
    auto file = create(*directory, "log", "first.");
    ASSERT_TRUE(directory->sync());
    box.disk.set_sync_time(seconds(1), seconds(1));
    box.simulation.after(milliseconds(500), [&] { CHECK(file->write_at(6, as_bytes("second"))); });
    ASSERT_TRUE(box.simulation.run_task(box.machine, sync_on_loop(box.machine.world(), file)));
    box.machine.power_off();
    std::string left = box.text("/data/log");
    EXPECT_TRUE(left.starts_with("first.")) << left << " seed " << seed;
  }
}

TEST(SimDisk, ASlowSyncIsSlowAndAStalledOneSlower) {
  Box box(1);
  auto file = create(*box.directory(), "log", "x");
  box.disk.set_sync_time(seconds(2), seconds(3));
  MonotonicTime start = box.simulation.now();
  ASSERT_TRUE(box.simulation.run_task(box.machine, sync_on_loop(box.machine.world(), file)));
  EXPECT_GE(box.simulation.now() - start, seconds(2));
  box.disk.stall_syncs(seconds(30));
  start = box.simulation.now();
  ASSERT_TRUE(box.simulation.run_task(box.machine, sync_on_loop(box.machine.world(), file)));
  EXPECT_GE(box.simulation.now() - start, seconds(30));
}

TEST(SimDisk, AFailedSyncLosesItsBytesThoughTheNextOneSucceeds) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Box box(seed);
    auto directory = box.directory();
    auto file = create(*directory, "log", pattern(1024, 'a'));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(directory->sync());
    ASSERT_TRUE(file->write_at(512, as_bytes(std::string(512, '!'))));
    box.disk.fail_syncs("log");
    auto failed = box.simulation.run_task(box.machine, sync_on_loop(box.machine.world(), file));
    EXPECT_EQ(failed.error().code, ErrorCode::kIo);
    ASSERT_TRUE(file->write_at(1024, as_bytes("tail")));
    EXPECT_TRUE(box.simulation.run_task(box.machine, sync_on_loop(box.machine.world(), file)));
    EXPECT_EQ(box.text("/data/log")[512], '!') << "the page cache still shows it";
    box.machine.power_off();
    EXPECT_EQ(box.text("/data/log"), pattern(1024, 'a') + "tail");
  }
}

Task<> sync_forever(World& world, std::shared_ptr<File> file, int& failed) {
  while (true) {
    auto result = co_await sync_on_loop(world, file);
    if (result) continue;
    ++failed;
    co_return;
  }
}

TEST(SimDisk, AKillDuringASyncEndsItForTheProcessButNotForTheKernel) {
  for (bool power : {false, true}) {
    int failed = 0;
    Box box(4);
    auto directory = box.directory();
    auto file = create(*directory, "log", "x");
    ASSERT_TRUE(directory->sync());
    box.disk.set_sync_time(seconds(1), seconds(1));
    box.machine.spawn(sync_forever(box.machine.world(), file, failed));
    box.machine.spawn(sync_forever(box.machine.world(), file, failed));
    box.simulation.run_for(milliseconds(100));
    if (power) {
      box.machine.power_off();
    } else {
      box.machine.kill();
    }
    EXPECT_EQ(failed, 2);
    box.simulation.run_for(seconds(3));
    if (power) continue;
    box.machine.power_off();
    EXPECT_EQ(box.text("/data/log"), "x");
  }
}

// ---- space, damage, locks

TEST(SimDisk, AFullDiskTakesWhatFitsAndRemovingMakesRoom) {
  Box box(1);
  box.disk.set_capacity(10'000);
  auto directory = box.directory();
  auto file = create(*directory, "log", std::string(6000, 'x'));
  EXPECT_EQ(file->write_at(6000, as_bytes(std::string(6000, 'y'))).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(*file->size(), 10'000u) << "a prefix was written";
  EXPECT_EQ(*directory->free_bytes(), 0u);
  EXPECT_TRUE(file->write_at(0, as_bytes("overwriting needs no space")));
  auto other = directory->open("other", OpenMode::kCreate);
  EXPECT_EQ((*other)->reserve(0, 100).error().code, ErrorCode::kNoSpace);
  ASSERT_TRUE(directory->remove("log"));
  EXPECT_EQ(*directory->free_bytes(), 10'000u);
  EXPECT_EQ(*directory->total_bytes(), 10'000u);
  EXPECT_TRUE((*other)->reserve(0, 100));
  EXPECT_EQ(*(*other)->size(), 0u);
  EXPECT_EQ(*directory->free_bytes(), 9'900u);
  ASSERT_TRUE((*other)->truncate(0));
  EXPECT_EQ(*directory->free_bytes(), 10'000u);
}

TEST(SimDisk, DamageIsReadAndStays) {
  Box box(1);
  auto directory = box.directory();
  auto file = create(*directory, "log", "abcdef");
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(directory->sync());
  box.disk.flip_bit("/data/log", 1, 0);
  box.disk.overwrite("/data/log", 3, as_bytes(std::string(2, '\0')));
  box.disk.cut_file("/data/log", 5);
  box.machine.power_off();
  EXPECT_EQ(box.text("/data/log"), std::string("acc\0\0", 5));
  box.disk.fail_reads("log");
  std::byte byte;
  auto reopened = box.directory()->open("log", OpenMode::kRead);
  EXPECT_EQ((*reopened)->read_at(0, MutableBytes(&byte, 1)).error().code, ErrorCode::kIo);
  box.disk.allow_reads();
  EXPECT_TRUE((*reopened)->read_at(0, MutableBytes(&byte, 1)));
  EXPECT_EQ((*reopened)->write_at(0, as_bytes("x")).error().code, ErrorCode::kDenied);
}

TEST(SimDisk, ALockDiesWithItsProcess) {
  Box box(1);
  auto directory = box.directory();
  auto lock = directory->lock(".lock");
  ASSERT_TRUE(lock);
  EXPECT_EQ(box.directory()->lock(".lock").error().code, ErrorCode::kBusy);
  box.machine.kill();
  auto next = box.directory()->lock(".lock");
  EXPECT_TRUE(next);
  lock->reset();
  EXPECT_EQ(box.directory()->lock(".lock").error().code, ErrorCode::kBusy) << "the dead one's release has no effect";
}

TEST(SimDisk, BehavesAsTheRealOneWhereNothingFails) {
  Box box(1);
  auto directory = box.directory("/a/b/c");
  EXPECT_EQ(box.machine.world().disk.open_directory("/a/x", false).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(directory->open("f", OpenMode::kRead).error().code, ErrorCode::kNotFound);
  auto file = create(*directory, "f", "text");
  EXPECT_EQ(directory->open("f", OpenMode::kCreateExclusive).error().code, ErrorCode::kExists);
  ASSERT_TRUE(directory->subdirectory("sub", true));
  EXPECT_EQ(*directory->list(), (std::vector<runtime::DirectoryEntry>{{"f", false, 4}, {"sub", true, 0}}));
  EXPECT_EQ(directory->remove("none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(directory->rename("none", "f").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(directory->rename("f", "g"));
  EXPECT_FALSE(directory->exists("f"));
  ASSERT_TRUE(file->write_at(6, as_bytes("!"))) << "an open file follows its new name";
  EXPECT_EQ(box.text("/a/b/c/g"), std::string("text\0\0!", 7));
  EXPECT_EQ(directory->open("a/b", OpenMode::kCreate).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(runtime::read_file(*directory, "g", 3).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace barnabas::sim
