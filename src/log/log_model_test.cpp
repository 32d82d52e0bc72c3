// Logs under random operations, against a map from offset to value. A failure prints its seed.
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "log/testing/log_fixture.h"

namespace barnabas::log {

namespace {

using testing::ReadRecord;

class LogModel : public testing::LogFixture {
 protected:
  void run(uint64_t seed, int steps) {
    random_.seed(seed);
    disk_ = std::make_shared<testing::MemoryDisk>();
    model_.clear();
    start_ = end_ = written_ = durable_ = 0;
    recovery_point_ = 0;
    config_->segment_bytes = static_cast<int64_t>(500 + random_() % 4000);
    config_->index_interval_bytes = static_cast<int32_t>(1 + random_() % 1000);
    config_->retention_ms = -1;
    config_->retention_bytes = static_cast<int64_t>(2000 + random_() % 20000);
    log_ = open();
    for (int step = 0; step < steps && !HasFailure(); ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + " step " + std::to_string(step));
      one_step();
      compare();
    }
    log_.reset();
  }

  bool chance(uint64_t percent) { return random_() % 100 < percent; }

  void one_step() {
    uint64_t dice = random_() % 100;
    if (dice < 45) return stage();
    if (dice < 65) return write();
    if (dice < 75) return flush();
    if (dice < 78) return roll();
    if (dice < 82) return truncate();
    if (dice < 85) return retain();
    if (dice < 87) return move_start();
    if (dice < 89) return checkpoint();
    if (dice < 92) return stop_cleanly();
    if (dice < 96) return kill();
    return lose_power();
  }

  void stage() {
    testing::BatchSpec spec{.records = static_cast<int>(1 + random_() % 5),
                            .timestamp = options_now_ + static_cast<int64_t>(random_() % 1000),
                            .value_bytes = random_() % 600,
                            .codec = wire::Codec(random_() % 3 == 0 ? 1 : 0)};
    int seed = next_seed_++;
    auto owner = std::make_shared<Buffer>(testing::make_batch(spec, seed));
    int64_t written_before = written_;
    Result<AppendInfo> info = log_->append(*owner, owner, LeaderEpoch(epoch_), options_now_);
    ASSERT_TRUE(info) << info.error().message;
    ASSERT_EQ(info->first_offset, Offset(end_));
    for (int i = 0; i < spec.records; ++i) {
      std::string value = "v" + std::to_string(seed) + "-" + std::to_string(i);
      if (value.size() < spec.value_bytes) value.append(spec.value_bytes - value.size(), '.');
      model_[end_ + i] = {.offset = end_ + i, .timestamp = spec.timestamp + i, .value = value};
    }
    written_ = info->rolled ? end_ : written_before;  // a roll writes what was staged before
    end_ += spec.records;
    batch_starts_.insert(info->first_offset.value);
  }

  void write() {
    ASSERT_TRUE(log_->write_staged());
    written_ = end_;
  }

  void roll() {
    ASSERT_TRUE(log_->roll(options_now_));
    written_ = end_;
  }

  void flush() {
    ASSERT_TRUE(log_->flush());
    written_ = durable_ = end_;
  }

  void checkpoint() {
    Result<Offset> point = log_->checkpoint();
    ASSERT_TRUE(point) << point.error().message;
    recovery_point_ = point->value;
    EXPECT_LE(recovery_point_, log_->durable_end().value);
  }

  void truncate() {
    write();
    if (end_ == start_) return;
    int64_t to = start_ + static_cast<int64_t>(random_() % static_cast<uint64_t>(end_ - start_ + 1));
    recovery_point_ = std::min(recovery_point_, to);
    // Whole batches go.
    int64_t cut = to;
    if (auto after = batch_starts_.upper_bound(to); to < end_ && after != batch_starts_.begin())
      cut = *std::prev(after);
    recovery_point_ = std::min(recovery_point_, cut);
    ASSERT_TRUE(log_->truncate_to(Offset(to)));
    forget_from(std::max(cut, int64_t{0}));
    ++epoch_;
  }

  void forget_from(int64_t end) {
    model_.erase(model_.lower_bound(end), model_.end());
    batch_starts_.erase(batch_starts_.lower_bound(end), batch_starts_.end());
    end_ = written_ = end;
    durable_ = std::min(durable_, end);
    if (start_ > end) start_ = end;
  }

  void retain() {
    write();
    auto removed = log_->apply_retention(options_now_, Offset(durable_));
    ASSERT_TRUE(removed) << removed.error().message;
    if (!removed->empty()) start_ = std::max(start_, removed->back().end.value);
    if (chance(50)) ASSERT_TRUE(log_->remove_due(options_now_ + (chance(50) ? 0 : 60000)));
  }

  void move_start() {
    if (durable_ <= start_) return;
    start_ += static_cast<int64_t>(random_() % static_cast<uint64_t>(durable_ - start_ + 1));
    log_->advance_log_start(Offset(start_));
  }

  void reopen(bool clean, bool power_lost) {
    log_.reset();
    LogOptions with = options(clean, Offset(recovery_point_));
    with.log_start = Offset(start_);
    with.power_lost = power_lost;
    auto log = try_open(std::move(with));
    ASSERT_TRUE(log) << log.error().message;
    log_ = *std::move(log);
    ASSERT_TRUE(log_->damaged().empty()) << log_->damaged()[0].to_string();
  }

  void stop_cleanly() {
    write();
    Result<Offset> end = log_->close();
    ASSERT_TRUE(end) << end.error().message;
    ASSERT_EQ(*end, Offset(end_));
    recovery_point_ = durable_ = end_;
    reopen(true, false);
  }

  void kill() {
    disk_->kill();
    forget_from(written_);
    reopen(false, false);
    ASSERT_EQ(log_->log_end_offset(), Offset(end_));
    durable_ = end_;
  }

  void lose_power() {
    disk_->lose_power(chance(20) ? std::nullopt : std::optional(random_()));
    reopen(false, true);
    int64_t end = log_->log_end_offset().value;
    ASSERT_GE(end, durable_) << "synced records are lost";
    ASSERT_LE(end, written_);
    forget_from(end);
    durable_ = end;
  }

  void compare() {
    if (HasFailure()) return;
    ASSERT_EQ(log_->log_end_offset(), Offset(end_));
    ASSERT_EQ(log_->written_end(), Offset(written_));
    ASSERT_EQ(log_->log_start_offset(), Offset(start_));
    ASSERT_GE(log_->durable_end(), Offset(durable_));
    if (start_ == written_) return;
    int64_t from = start_ + static_cast<int64_t>(random_() % static_cast<uint64_t>(written_ - start_));
    int64_t upper = written_;
    std::vector<ReadRecord> seen = read(*log_, from, upper, static_cast<uint32_t>(1 + random_() % 3000));
    std::vector<ReadRecord> wanted;
    for (auto at = model_.lower_bound(from); at != model_.lower_bound(upper); ++at) wanted.push_back(at->second);
    ASSERT_EQ(seen, wanted);
    if (chance(20)) compare_times();
  }

  void compare_times() {
    if (written_ != end_) return;
    TimestampMs wanted = options_now_ + static_cast<int64_t>(random_() % 1100);
    auto found = log_->offset_for_timestamp(wanted);
    ASSERT_TRUE(found) << found.error().message;
    int64_t expected = -1;
    for (auto at = model_.lower_bound(start_); at != model_.end() && expected < 0; ++at) {
      if (at->second.timestamp >= wanted) expected = at->first;
    }
    ASSERT_EQ(*found ? (*found)->offset.value : -1, expected) << wanted - options_now_;
  }

  std::mt19937_64 random_;
  std::unique_ptr<Log> log_;
  std::map<int64_t, ReadRecord> model_;
  std::set<int64_t> batch_starts_;
  int64_t start_ = 0, end_ = 0, written_ = 0, durable_ = 0, recovery_point_ = 0;
  int epoch_ = 0;
};

TEST_F(LogModel, RandomOperationsKeepEveryRecordTheyMust) {
  const char* more = std::getenv("BARNABAS_LOG_SEEDS");
  uint64_t seeds = more ? std::strtoull(more, nullptr, 10) : 60;
  for (uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed) {
    batch_starts_.clear();
    epoch_ = 0;
    run(seed, 150);
  }
}

}  // namespace
}  // namespace barnabas::log
