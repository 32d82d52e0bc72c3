#include "cli/bench_work.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "barnabas/consumer.h"
#include "barnabas/producer.h"

namespace barnabas::cli {

namespace {

using client::ConsumerRecord;
using client::Error;
using client::TopicPartition;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kSlice{100};
constexpr milliseconds kDrain{10000};  // for what was sent and has not arrived

int64_t now_ns() {
  return std::chrono::duration_cast<nanoseconds>(Clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Letters in no order, as Kafka's own benchmark sends: compressible a little. Values are pieces of one text that is
// longer than what codecs remember.
class Payload {
 public:
  explicit Payload(size_t size) : size_(size), text_(size + kLength, 'a') {
    uint64_t state = 0x9e3779b97f4a7c15;
    for (char& c : text_) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      c = static_cast<char>('A' + (state >> 33) % 26);
    }
  }
  std::string_view at(int64_t index) const {
    return std::string_view(text_).substr(static_cast<size_t>(index) * size_ % kLength, size_);
  }

 private:
  static constexpr size_t kLength = size_t{4} << 20;
  size_t size_;
  std::string text_;
};

// When the next record is due, and whether there is one.
class Schedule {
 public:
  Schedule(const BenchLoad& load, const Interrupt& interrupt)
      : load_(load), interrupt_(interrupt), begin_(Clock::now()) {
    end_ = load.time ? begin_ + *load.time : Clock::time_point::max();
  }
  bool goes_on(int64_t sent) const {
    if (sent >= load_.records) return false;
    if (sent % 64 != 0 && load_.rate == 0) return true;
    return !interrupt_.asked() && Clock::now() < end_;
  }
  // Waits until record `index` is due; returns that time, so that a late send counts as latency.
  int64_t wait(int64_t index) const {
    if (load_.rate == 0) return now_ns();
    auto due =
        begin_ + nanoseconds(static_cast<int64_t>(static_cast<double>(index) * 1e9 / static_cast<double>(load_.rate)));
    while (Clock::now() < due && !interrupt_.asked()) {
      std::this_thread::sleep_for(std::min<Clock::duration>(due - Clock::now(), kSlice));
    }
    return std::chrono::duration_cast<nanoseconds>(due.time_since_epoch()).count();
  }

 private:
  const BenchLoad& load_;
  const Interrupt& interrupt_;
  Clock::time_point begin_, end_;
};

// What the producer's reports add up to. Written on the client's thread.
struct Reports {
  std::mutex mutex;
  BenchResult result;
  std::atomic<uint64_t> delivered = 0;

  void operator()(const client::DeliveryReport& report) {
    int64_t now = now_ns();
    std::lock_guard lock(mutex);
    if (report.error != nullptr) {
      result.failed += report.tags.size();
      if (!result.error) result.error = *report.error;
      return;
    }
    for (uint64_t tag : report.tags) result.latency.add(now - static_cast<int64_t>(tag));
    result.records += report.tags.size();
    delivered += report.tags.size();
  }
};

client::Result<client::Consumer> reader_of(client::Config config, const BenchLoad& load, bool from_end) {
  config.set("enable.auto.commit", "false").set("auto.offset.reset", from_end ? "latest" : "earliest");
  if (config.find("max.poll.records") == nullptr) config.set("max.poll.records", "5000");
  auto consumer = client::Consumer::create(config);
  if (!consumer) return consumer;
  std::vector<TopicPartition> partitions;
  for (int32_t i = 0; i < load.partitions; ++i) partitions.push_back({load.topic, i});
  auto assigned = consumer->assign(partitions);
  if (assigned) assigned = from_end ? consumer->seek_to_end(partitions) : consumer->seek_to_beginning(partitions);
  if (!assigned) return std::unexpected(assigned.error());
  for (const auto& partition : partitions) {  // now, not when the first record is there already
    auto position = consumer->position(partition).get();
    if (!position) return std::unexpected(position.error());
  }
  return consumer;
}

// The time a value was sent, in its first bytes.
constexpr size_t kStamp = sizeof(int64_t);

}  // namespace

client::Result<BenchResult> bench_produce(const client::Config& config, const BenchLoad& load,
                                          const Interrupt& interrupt, RecordProgress& progress) {
  Reports reports;
  auto producer =
      client::Producer::create(config, {.on_delivery = [&](const client::DeliveryReport& report) { reports(report); }});
  if (!producer) return std::unexpected(producer.error());
  auto known = producer->partitions_for(load.topic).get();
  if (!known) return std::unexpected(known.error());
  Payload payload(load.record_size);
  double cpu = cpu_seconds();
  auto begin = Clock::now();
  Schedule schedule(load, interrupt);
  int64_t sent = 0;
  for (; schedule.goes_on(sent); ++sent) {
    int64_t due = schedule.wait(sent);
    auto taken = producer->send_tagged({.topic = load.topic, .value = payload.at(sent)}, static_cast<uint64_t>(due));
    if (!taken) return std::unexpected(taken.error());
    if (sent % 1024 == 0) progress.update(reports.delivered, reports.delivered * load.record_size);
  }
  auto flushed = producer->flush();
  while (!flushed.get_for(kSlice) && !interrupt.asked()) {
    progress.update(reports.delivered, reports.delivered * load.record_size);
  }
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  double used = cpu_seconds() - cpu;
  (void)producer->close(interrupt.asked() ? milliseconds(0) : milliseconds::max());
  std::lock_guard lock(reports.mutex);
  reports.result.bytes = reports.result.records * load.record_size;
  reports.result.seconds = seconds;
  reports.result.cpu_seconds = used;
  return std::move(reports.result);
}

client::Result<BenchResult> bench_consume(const client::Config& config, const BenchLoad& load,
                                          const Interrupt& interrupt, RecordProgress& progress) {
  auto consumer = reader_of(config, load, false);
  if (!consumer) return std::unexpected(consumer.error());
  BenchResult result;
  double cpu = cpu_seconds();
  auto begin = Clock::now();
  auto end = load.time ? begin + *load.time : Clock::time_point::max();
  auto last = begin;
  while (result.records < static_cast<uint64_t>(load.records) && !interrupt.asked() && Clock::now() < end) {
    auto records = consumer->poll(kSlice);
    if (!records) return std::unexpected(records.error());
    if (records->empty()) {
      if (Clock::now() - last > kDrain) break;  // there are no more
      continue;
    }
    for (const ConsumerRecord& record : *records) result.bytes += record.value ? record.value->size() : 0;
    result.records += records->size();
    last = Clock::now();
    progress.update(result.records, result.bytes);
  }
  result.seconds = std::chrono::duration<double>(last - begin).count();
  result.cpu_seconds = cpu_seconds() - cpu;
  return result;
}

client::Result<BenchResult> bench_through(const client::Config& config, const BenchLoad& load, bool one_by_one,
                                          const Interrupt& interrupt, RecordProgress& progress) {
  Reports reports;
  auto producer =
      client::Producer::create(config, {.on_delivery = [&](const client::DeliveryReport& report) { reports(report); }});
  if (!producer) return std::unexpected(producer.error());
  auto known = producer->partitions_for(load.topic).get();
  if (!known) return std::unexpected(known.error());
  auto consumer = reader_of(config, load, true);
  if (!consumer) return std::unexpected(consumer.error());

  double cpu = cpu_seconds();
  auto begin = Clock::now();
  std::atomic<int64_t> sent = 0, arrived = 0;
  std::atomic<bool> sending = true;
  std::optional<Error> send_error;
  std::thread sender([&] {
    Payload payload(std::max(load.record_size, kStamp));
    Schedule schedule(load, interrupt);
    std::string value;
    while (schedule.goes_on(sent)) {
      int64_t due = schedule.wait(sent);
      value = payload.at(sent);
      std::memcpy(value.data(), &due, kStamp);
      auto taken = producer->send_tagged({.topic = load.topic, .value = value}, static_cast<uint64_t>(due));
      if (!taken) {
        send_error = taken.error();
        break;
      }
      ++sent;
      for (int64_t seen = arrived; one_by_one && seen < sent && !interrupt.asked(); seen = arrived) arrived.wait(seen);
    }
    sending = false;
  });
  BenchResult result;
  std::optional<Error> read_error;
  auto last = Clock::now();
  while (!read_error) {
    auto records = consumer->poll(kSlice);
    if (!records) {
      read_error = records.error();
      break;
    }
    int64_t now = now_ns();
    for (const ConsumerRecord& record : *records) {
      if (!record.value || record.value->size() < kStamp) continue;
      int64_t due = 0;
      std::memcpy(&due, record.value->data(), kStamp);
      result.latency.add(now - due);
      result.bytes += record.value->size();
      ++result.records;
    }
    if (!records->empty()) last = Clock::now();
    arrived = static_cast<int64_t>(result.records);
    arrived.notify_one();
    progress.update(result.records, result.bytes);
    bool all = !sending && static_cast<int64_t>(result.records) >= sent;
    bool lost = !sending && Clock::now() - last > kDrain;
    if (all || lost || interrupt.asked()) break;
  }
  arrived = INT64_MAX;  // the sender need not wait any more
  arrived.notify_one();
  sender.join();
  result.seconds = std::chrono::duration<double>(last - begin).count();
  result.cpu_seconds = cpu_seconds() - cpu;
  if (send_error) return std::unexpected(*send_error);
  if (read_error) return std::unexpected(*read_error);
  if (!interrupt.asked())
    result.failed = static_cast<uint64_t>(sent) - std::min(static_cast<uint64_t>(sent), result.records);
  (void)producer->close(interrupt.asked() ? milliseconds(0) : milliseconds::max());
  return result;
}

}  // namespace barnabas::cli
