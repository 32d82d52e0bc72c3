// Compaction against a model: random keyed records, cleaned at random times, always read back as the latest of each
// key; and a loss of power at every operation of a cleaning.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "log/testing/cleaner_fixture.h"
#include "wire/control_record.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::log {
namespace {

struct Latest {
  int64_t offset = 0;
  std::optional<std::string> value;
};

class CleanerModelTest : public testing::CleanerFixture {
 protected:
  // What readers must see: of each key the last line; nothing out of order, nothing that was not written.
  void expect_latest(Log& log, const std::map<std::string, Latest>& latest, const std::map<int64_t, std::string>& all) {
    std::map<std::string, Latest> seen;
    int64_t before = -1;
    for (const std::string& line : contents(log)) {
      int64_t offset = std::stoll(line);
      ASSERT_GT(offset, before);
      before = offset;
      ASSERT_EQ(line, all.at(offset));
      std::string rest = line.substr(line.find(':') + 1);
      std::string value = rest.substr(rest.find('=') + 1);
      seen[rest.substr(0, rest.find('='))] = {offset, value == "(null)" ? std::nullopt : std::optional(value)};
    }
    for (const auto& [key, expected] : latest) {
      auto found = seen.find(key);
      if (!expected.value) {  // a tombstone may be gone, but then so is what it deleted
        if (found != seen.end()) ASSERT_EQ(found->second.offset, expected.offset) << key;
        continue;
      }
      ASSERT_NE(found, seen.end()) << key;
      ASSERT_EQ(found->second.offset, expected.offset) << key;
    }
  }
};

TEST_F(CleanerModelTest, WhateverIsCleanedWheneverTheLatestOfEachKeyIsThere) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    disk_ = std::make_shared<testing::MemoryDisk>();
    checkpoint_.reset();
    logger_.lines.clear();
    config_->segment_bytes = 400 + pick(2000);
    config_->index_interval_bytes = 1 + pick(400);
    map_bytes_ = pick(3) == 0 ? 40 * OffsetMap::kSlotBytes : 1 << 20;
    int keys = 1 + pick(40);
    auto log = open();
    std::map<std::string, Latest> latest;
    std::map<int64_t, std::string> all;
    for (int step = 0; step < 120; ++step) {
      options_now_ += pick(200);
      if (pick(10) == 0) {
        auto stats = clean(*log, Offset(std::max<int64_t>(0, log->log_end_offset().value - pick(10))));
        ASSERT_TRUE(stats) << stats.error().message;
        ASSERT_NO_FATAL_FAILURE(expect_latest(*log, latest, all));
      } else if (pick(25) == 0) {
        Offset end = log->log_end_offset();
        bool clean_stop = pick(2) == 0;
        if (clean_stop) ASSERT_TRUE(log->close());
        log.reset();
        disk_->kill();
        log = open(clean_stop, clean_stop ? end : Offset(0));
        ASSERT_NE(log, nullptr);
        ASSERT_EQ(log->log_end_offset(), end);
        ASSERT_NO_FATAL_FAILURE(expect_latest(*log, latest, all));
      } else {
        std::vector<testing::KeyValue> records;
        int64_t offset = log->log_end_offset().value;
        for (int i = 0, n = 1 + pick(6); i < n; ++i, ++offset) {
          testing::KeyValue record{.key = "k" + std::to_string(pick(keys))};
          if (pick(5) != 0) record.value = std::to_string(step) + std::string(static_cast<size_t>(pick(60)), 'v');
          latest[*record.key] = {offset, record.value};
          all[offset] = std::to_string(offset) + ":" + *record.key + "=" + record.value.value_or("(null)");
          records.push_back(std::move(record));
        }
        put(*log, records, {.timestamp = options_now_, .codec = pick(3) == 0 ? wire::Codec::kLz4 : wire::Codec::kNone});
      }
    }
    EXPECT_TRUE(logger_.lines.empty()) << logger_.lines.front();
  }
}

TEST_F(CleanerModelTest, APowerLossAtAnyOperationLeavesTheLatestOfEachKey) {
  std::map<std::string, Latest> latest;
  std::map<int64_t, std::string> all;
  {
    auto log = open();
    for (int i = 0; i < 24; ++i) {
      std::string key = "k" + std::to_string(i % 5);
      std::optional<std::string> value;
      if (i % 7 != 0) value = std::to_string(i);
      int64_t offset = put(*log, {{key, value}}, {.timestamp = options_now_});
      latest[key] = {offset, value};
      all[offset] = std::to_string(offset) + ":" + key + "=" + value.value_or("(null)");
      if (i % 6 == 5) roll(*log);
      if (i == 11) config_->segment_bytes = 600;  // two groups
    }
    ASSERT_TRUE(log->flush());
    ASSERT_TRUE(log->close());
  }
  auto pristine = disk_->clone();
  bool finished = false;
  for (int allowed = 0; !finished; ++allowed) {
    ASSERT_LT(allowed, 1000);
    for (uint64_t seed : {1, 2, 3}) {
      SCOPED_TRACE(::testing::Message() << "operations: " << allowed << ", seed: " << seed);
      disk_ = pristine->clone();
      checkpoint_.reset();
      auto log = open(true, Offset(24));
      ASSERT_TRUE(log->producers());
      int left = allowed;
      disk_->set_fault([&](const std::string& operation, const std::string&) -> std::optional<Error> {
        if (operation == "read" || left-- > 0) return std::nullopt;
        return Error{ErrorCode::kIo, "the power is gone"};
      });
      finished = clean(*log).has_value() && left >= 0;
      disk_->set_fault(nullptr);
      log.reset();
      disk_->lose_power(seed);
      log = open(false, Offset(24));
      ASSERT_NE(log, nullptr);
      ASSERT_EQ(log->log_end_offset(), Offset(24));
      EXPECT_TRUE(log->damaged().empty());
      ASSERT_NO_FATAL_FAILURE(expect_latest(*log, latest, all));
      checkpoint_.reset();
      auto again = clean(*log);
      ASSERT_TRUE(again) << again.error().message;
      ASSERT_NO_FATAL_FAILURE(expect_latest(*log, latest, all));
      EXPECT_EQ(contents(*log).size(), 5u);
    }
  }
}

// What a consumer of committed data sees: the aborted transactions it is told of taken out, as clients do it.
std::map<std::string, int64_t> committed_latest(const std::vector<Buffer>& batches,
                                                std::vector<replication::AbortedTransaction> aborted) {
  std::map<std::string, int64_t> latest;
  std::set<int64_t> aborting;
  size_t next = 0;
  for (const Buffer& bytes : batches) {
    wire::BatchHeader header = *wire::BatchHeader::decode(bytes);
    while (next < aborted.size() && aborted[next].first_offset <= header.last_offset()) {
      aborting.insert(aborted[next++].producer_id.value);
    }
    wire::RecordIterator records(header, bytes);
    wire::RecordView record;
    if (header.is_control()) {
      bool abort = records.next(record) && *wire::decode_control_key(*record.key) == wire::ControlRecordType::kAbort;
      if (abort) aborting.erase(header.producer_id);
      continue;
    }
    if (header.is_transactional() && aborting.contains(header.producer_id)) continue;
    while (records.next(record)) latest[std::string(as_text(*record.key))] = header.base_offset + record.offset_delta;
  }
  return latest;
}

TEST_F(CleanerModelTest, WhateverIsCleanedCommittedTransactionsAreSeenAndAbortedOnesAreNot) {
  constexpr int kProducers = 3;
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    disk_ = std::make_shared<testing::MemoryDisk>();
    checkpoint_.reset();
    config_->segment_bytes = 300 + pick(1500);
    auto log = open();
    std::map<std::string, int64_t> latest;
    std::map<std::string, int64_t> open_transactions[kProducers];
    int32_t sequences[kProducers] = {};
    auto end = [&](int producer) {
      bool commit = pick(2) == 0;
      append_bytes(*log, testing::make_marker(producer, 0, commit, options_now_));
      if (commit) {
        for (const auto& [key, offset] : open_transactions[producer]) latest[key] = std::max(latest[key], offset);
      }
      open_transactions[producer].clear();
    };
    for (int step = 0; step < 150; ++step) {
      options_now_ += pick(300);
      int producer = pick(kProducers);
      if (pick(12) == 0) {
        for (int each = 0; each < kProducers; ++each) {
          if (!open_transactions[each].empty() && pick(2) == 0) end(each);
        }
        auto stats = clean(*log);
        ASSERT_TRUE(stats) << stats.error().message;
        for (int each = 0; each < kProducers; ++each) {
          if (!open_transactions[each].empty()) end(each);
        }
        auto aborted = log->aborted_transactions(Offset(0), log->log_end_offset());
        ASSERT_TRUE(aborted) << aborted.error().message;
        ASSERT_EQ(committed_latest(batch_bytes(*log), *aborted), latest);
      } else if (!open_transactions[producer].empty() && pick(4) == 0) {
        end(producer);
      } else {
        std::vector<testing::KeyValue> records;
        int64_t offset = log->log_end_offset().value;
        for (int i = 0, n = 1 + pick(3); i < n; ++i) {
          records.push_back({"k" + std::to_string(pick(12)), "v"});
          open_transactions[producer][*records.back().key] = offset + i;
        }
        put(*log, records,
            {.timestamp = options_now_,
             .producer_id = producer,
             .producer_epoch = 0,
             .sequence = sequences[producer],
             .transactional = true});
        sequences[producer] += static_cast<int32_t>(records.size());
      }
    }
  }
}

}  // namespace
}  // namespace barnabas::log
