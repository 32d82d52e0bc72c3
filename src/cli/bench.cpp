#include <fmt/format.h>
#include <unistd.h>

#include <random>

#include "barnabas/admin.h"
#include "cli/bench_work.h"
#include "cli/invocation.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::Error;

enum class Kind { kProduce, kConsume, kEndToEnd, kLatency };

// The topic that is measured. One of its own is deleted again, unless it is to be kept.
class BenchTopic {
 public:
  BenchTopic(Invocation& call, BenchLoad& load) : call_(call), load_(load) {}
  ~BenchTopic() {
    if (!made_ || call_.has("keep")) return;
    auto deleted = call_.admin()->delete_topics({load_.topic}).get();
    Error error = deleted ? Error{} : deleted.error();
    if (deleted && !deleted->at(load_.topic)) error = deleted->at(load_.topic).error();
    if (!error.message.empty()) call_.item_failed(error, "topic " + load_.topic);
  }
  BenchTopic(const BenchTopic&) = delete;
  BenchTopic& operator=(const BenchTopic&) = delete;

  // False: it was told why not.
  bool prepare() {
    client::Admin* admin = call_.admin();
    if (!admin) return false;
    return call_.has("topic") ? find(*admin) : make(*admin);
  }
  bool own() const { return made_; }

 private:
  bool find(client::Admin& admin) {
    load_.topic = call_.value("topic");
    auto described = admin.describe_topics({load_.topic}).get();
    if (described && described->at(load_.topic)) {
      load_.partitions = static_cast<int32_t>(described->at(load_.topic)->partitions.size());
      return true;
    }
    call_.fail(described ? described->at(load_.topic).error() : described.error(), "topic " + load_.topic);
    return false;
  }

  bool make(client::Admin& admin) {
    std::random_device random;
    load_.topic = fmt::format("barnabas-bench-{:08x}", random());
    client::NewTopic topic{.name = load_.topic, .partitions = load_.partitions};
    if (call_.has("replication-factor")) {
      auto factor = call_.number("replication-factor", 1, INT16_MAX);
      if (!factor) {
        call_.usage(factor.error().message);
        return false;
      }
      topic.replication_factor = static_cast<int16_t>(*factor);
    }
    auto created = admin.create_topics({topic}).get();
    if (!created || !created->at(load_.topic)) {
      call_.fail(created ? created->at(load_.topic).error() : created.error(), "topic " + load_.topic);
      return false;
    }
    made_ = true;
    return true;
  }

  Invocation& call_;
  BenchLoad& load_;
  bool made_ = false;
};

std::expected<BenchLoad, std::string> load_of(const Invocation& call, Kind kind) {
  BenchLoad load;
  auto size = parse_bytes(call.value("size"));
  constexpr int64_t kMostBytes = int64_t{1} << 30;
  if (!size || *size > kMostBytes)
    return std::unexpected(fmt::format("--size {}: want a size as 100 or 1KiB", call.value("size")));
  load.record_size = static_cast<size_t>(*size);
  if (call.has("time")) {
    auto time = call.duration_ms("time");
    if (!time) return std::unexpected(time.error().message);
    load.time = std::chrono::milliseconds(*time);
    load.records = INT64_MAX;
  }
  if (call.has("count") || !load.time) {
    auto count = call.number("count", 1, INT64_MAX);
    if (!count) return std::unexpected(count.error().message);
    load.records = *count;
  }
  auto partitions = call.number("partitions", 1, 100000);
  if (!partitions) return std::unexpected(partitions.error().message);
  load.partitions = static_cast<int32_t>(*partitions);
  if (kind == Kind::kProduce || kind == Kind::kEndToEnd) {
    auto rate = call.number("rate", 0, 1000000000);
    if (!rate) return std::unexpected(rate.error().message);
    load.rate = *rate;
  }
  return load;
}

client::Result<client::Config> config_of(Invocation& call, Kind kind) {
  auto config = call.client_config();
  if (!config) return config;
  if (call.has("compression")) config->set("compression.type", call.value("compression"));
  if (call.has("acks")) config->set("acks", call.value("acks"));
  if (kind == Kind::kLatency && config->find("linger.ms") == nullptr) config->set("linger.ms", "0");
  return config;
}

Value report_of(const BenchResult& result, const BenchLoad& load, const client::Config& config, Kind kind) {
  auto rounded = [](double number, double unit) {
    return static_cast<double>(static_cast<int64_t>(number * unit + 0.5)) / unit;
  };
  auto records = static_cast<double>(result.records);
  double seconds = result.seconds > 0 ? result.seconds : 1e-9;
  Value report;
  report.add("records", result.records).add("failed", result.failed).add("bytes", result.bytes);
  report.add("seconds", rounded(result.seconds, 1000)).add("records_per_second", rounded(records / seconds, 1));
  report.add("megabytes_per_second", rounded(static_cast<double>(result.bytes) / 1e6 / seconds, 1000));
  report.add("cpu_seconds", rounded(result.cpu_seconds, 1000));
  report.add("cpu_microseconds_per_record", rounded(result.cpu_seconds * 1e6 / std::max(records, 1.0), 1000));
  if (kind != Kind::kConsume) {
    auto ms = [&](int64_t nanoseconds) { return rounded(static_cast<double>(nanoseconds) / 1e6, 1000); };
    report.add("latency_p50_ms", ms(result.latency.percentile(0.5)));
    report.add("latency_p99_ms", ms(result.latency.percentile(0.99)));
    report.add("latency_p99.9_ms", ms(result.latency.percentile(0.999)));
    report.add("latency_max_ms", ms(result.latency.max()));
  }
  auto setting = [&](const char* key, const char* otherwise) {
    const std::string* found = config.find(key);
    return found ? *found : std::string(otherwise);
  };
  report.add("record_size", uint64_t{load.record_size}).add("partitions", int{load.partitions});
  report.add("acks", setting("acks", "all")).add("compression", setting("compression.type", "none"));
  return report;
}

void print(Invocation& call, const BenchResult& result, const Value& report, Kind kind) {
  if (call.out().for_programs()) return call.out().print("bench", report, {});
  double seconds = result.seconds > 0 ? result.seconds : 1e-9;
  auto records = static_cast<double>(result.records);
  call.out().line(fmt::format(
      "{} records of {} in {:.2f} s: {} records/s, {:.1f} MB/s", thousands(result.records),
      result.records == 0 ? "0 B" : human_bytes(static_cast<int64_t>(result.bytes / result.records)), result.seconds,
      thousands(static_cast<uint64_t>(records / seconds)), static_cast<double>(result.bytes) / 1e6 / seconds));
  if (kind != Kind::kConsume) {
    auto ms = [](int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; };
    call.out().line(fmt::format("latency p50 {:.2f} ms, p99 {:.2f} ms, p99.9 {:.2f} ms, max {:.2f} ms",
                                ms(result.latency.percentile(0.5)), ms(result.latency.percentile(0.99)),
                                ms(result.latency.percentile(0.999)), ms(result.latency.max())));
  }
  call.out().line(fmt::format("CPU of this client {:.2f} s: {:.3f} µs a record", result.cpu_seconds,
                              result.cpu_seconds * 1e6 / std::max(records, 1.0)));
}

// Records for the consumer to read: written first, not measured.
client::Result<> fill(Invocation& call, const client::Config& config, BenchLoad load, const Interrupt& interrupt) {
  load.time.reset();
  load.rate = 0;
  if (load.records == INT64_MAX)
    return std::unexpected(
        Error{.message = "--time alone cannot say how many records to write first; give --count, or --topic"});
  RecordProgress progress("written", load.records, !call.has("quiet"));
  auto filled = bench_produce(config, load, interrupt, progress);
  if (!filled) return std::unexpected(filled.error());
  if (filled->error) return std::unexpected(*filled->error);
  return {};
}

int bench(Invocation& call, Kind kind) {
  auto load = load_of(call, kind);
  if (!load) return call.usage(load.error());
  auto config = config_of(call, kind);
  if (!config) return call.fail(config.error());
  Interrupt interrupt;
  BenchTopic topic(call, *load);
  if (!topic.prepare()) return call.exit_code();
  if (kind == Kind::kConsume && topic.own()) {
    auto filled = fill(call, *config, *load, interrupt);
    if (!filled) return call.fail(filled.error());
  }
  auto known = load->records == INT64_MAX ? std::nullopt : std::optional(load->records);
  client::Result<BenchResult> result = BenchResult{};
  {
    RecordProgress progress(kind == Kind::kProduce ? "sent" : "read", known, !call.has("quiet"));
    result = kind == Kind::kProduce   ? bench_produce(*config, *load, interrupt, progress)
             : kind == Kind::kConsume ? bench_consume(*config, *load, interrupt, progress)
                                      : bench_through(*config, *load, kind == Kind::kLatency, interrupt, progress);
  }
  if (!result) return call.fail(result.error());
  print(call, *result, report_of(*result, *load, *config, kind), kind);
  if (result->error) call.item_failed(*result->error, fmt::format("{} records failed", thousands(result->failed)));
  if (result->failed > 0 && !result->error) {
    call.item_failed(Error{.kind = Error::Kind::kBroker,
                           .message = fmt::format("{} records did not arrive", thousands(result->failed))},
                     {});
  }
  return call.exit_code();
}

const Flag kTopic{.name = "topic",
                  .letter = 't',
                  .value = "TOPIC",
                  .help = "measure this one; else a new one, deleted afterwards",
                  .completes = Completes::kTopic};
const Flag kKeep{.name = "keep", .help = "do not delete the new topic"};
const Flag kPartitions{
    .name = "partitions", .letter = 'p', .value = "N", .help = "of the new topic", .default_value = "1"};
const Flag kReplication{.name = "replication-factor",
                        .letter = 'r',
                        .value = "N",
                        .help = "of the new topic; the broker's default when absent"};
const Flag kSize{.name = "size",
                 .letter = 's',
                 .value = "BYTES",
                 .help = "of a record's value, as 100 or 1KiB",
                 .default_value = "100"};
const Flag kTime{.name = "time", .letter = 'd', .value = "TIME", .help = "end after this time, as 30s"};
const Flag kCompression{.name = "compression",
                        .letter = 'z',
                        .value = "CODEC",
                        .help = "of batches",
                        .choices = {"none", "gzip", "snappy", "lz4", "zstd"}};
const Flag kAcks{
    .name = "acks", .value = "WHO", .help = "who confirms: all, 1 or 0", .choices = {"all", "-1", "1", "0"}};
const Flag kQuiet{.name = "quiet", .letter = 'q', .help = "no progress"};

Flag count(std::string_view many) {
  return {.name = "count", .letter = 'n', .value = "N", .help = "how many records", .default_value = many};
}
Flag rate(std::string_view many, std::string_view help) {
  return {.name = "rate", .value = "N", .help = help, .default_value = many};
}

}  // namespace

std::vector<Command> bench_commands() {
  return {
      {.path = "bench produce",
       .summary = "Measure sending: records a second, time to confirmation, CPU",
       .flags = {kSize, count("1000000"), kTime, rate("0", "records a second; 0: as fast as it goes"), kTopic, kKeep,
                 kPartitions, kReplication, kCompression, kAcks, kQuiet},
       .examples = {{"bench produce -s 1KiB -z lz4 -p 6", "a million records of 1 KiB"},
                    {"bench produce --rate 10000 -d 30s -o json", "latency at a steady load"}},
       .text =
           "Latency is the time from when a record was due to its confirmation. At full speed it is mostly waiting in\n"
           "the client's buffer: give --rate to see that of the cluster.",
       .run = [](Invocation& call) { return bench(call, Kind::kProduce); }},
      {.path = "bench consume",
       .summary = "Measure reading: records a second, CPU",
       .flags = {kSize, count("1000000"), kTime, kTopic, kKeep, kPartitions, kReplication, kCompression, kAcks, kQuiet},
       .examples = {{"bench consume --topic orders -n 100000", "read what is there"}},
       .text = "Without --topic the records are written first; that is not measured.",
       .run = [](Invocation& call) { return bench(call, Kind::kConsume); }},
      {.path = "bench e2e",
       .summary = "Measure the way from a producer to a consumer under load",
       .flags = {kSize, count("100000"), kTime, rate("10000", "records a second; 0: as fast as it goes"), kTopic, kKeep,
                 kPartitions, kReplication, kCompression, kAcks, kQuiet},
       .examples = {{"bench e2e --rate 1000 -d 10s", "a thousand a second for ten seconds"}},
       .run = [](Invocation& call) { return bench(call, Kind::kEndToEnd); }},
      {.path = "bench latency",
       .summary = "Measure the way from a producer to a consumer, one record at a time",
       .flags = {kSize, count("1000"), kTime, kTopic, kKeep, kPartitions, kReplication, kCompression, kAcks, kQuiet},
       .run = [](Invocation& call) { return bench(call, Kind::kLatency); }},
  };
}

}  // namespace barnabas::cli
