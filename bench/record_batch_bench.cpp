// What a produced batch costs before it is appended: the checksum, the walk over its records, opening a compressed one
// (strict) or believing its header (trust), and recompression. Bytes per second are of plain records.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "base/crc32c.h"
#include "wire/batch_validator.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::wire {
namespace {

constexpr TimestampMs kNow = 1'800'000'000'000;
constexpr size_t kValueBytes = 100;

Buffer make_batch(Codec codec, size_t plain_bytes) {
  std::mt19937 random(1);
  BatchBuilder builder({.compression = {codec}});
  for (size_t bytes = 0; bytes < plain_bytes; bytes += kValueBytes) {
    std::string value = R"({"user":)" + std::to_string(random() % 100000) + R"(,"action":"click","page":"/shop/item/)" +
                        std::to_string(random() % 1000) + R"(","agent":"Mozilla/5.0 X11","ok":true})";
    value.resize(kValueBytes, ' ');
    builder.add({.timestamp = kNow, .key = as_bytes("k"), .value = as_bytes(value)});
  }
  return builder.build();
}

void report(benchmark::State& state, size_t plain_bytes) {
  size_t records = (plain_bytes + kValueBytes - 1) / kValueBytes;
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * plain_bytes));
  state.counters["ns/record"] = benchmark::Counter(
      static_cast<double>(records) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void checksum(benchmark::State& state) {
  Buffer batch = make_batch(Codec::kNone, static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(crc_matches(batch));
  report(state, batch.size());
}
BENCHMARK(checksum)->Arg(1 << 10)->Arg(16 << 10)->Arg(1 << 20);

void walk(benchmark::State& state) {
  size_t plain = static_cast<size_t>(state.range(0));
  Buffer batch = make_batch(Codec::kNone, plain);
  BatchHeader header = *BatchHeader::decode(batch);
  for (auto _ : state) {
    RecordIterator records(header, batch, RecordIterator::Want::kShape);
    RecordView record;
    while (records.next(record)) benchmark::DoNotOptimize(record.offset_delta);
  }
  report(state, plain);
}
BENCHMARK(walk)->Arg(1 << 10)->Arg(16 << 10)->Arg(1 << 20);

void log_append_time(benchmark::State& state) {
  Buffer batch = make_batch(Codec::kNone, static_cast<size_t>(state.range(0)));
  TimestampMs now = kNow;
  for (auto _ : state) set_timestamps(batch, TimestampType::kLogAppendTime, ++now);
}
BENCHMARK(log_append_time)->Arg(1 << 10)->Arg(16 << 10)->Arg(32 << 10)->Arg(1 << 20);

void validate(benchmark::State& state, Codec codec, Strictness strictness) {
  size_t plain = static_cast<size_t>(state.range(0));
  Buffer batch = make_batch(codec, plain);
  BatchPolicy policy{.max_message_bytes = INT32_MAX, .strictness = strictness};
  for (auto _ : state) {
    BatchVerdict verdict = validate_batch(batch, policy, {.now = kNow});
    if (!verdict.accepted()) state.SkipWithError("refused");
    benchmark::DoNotOptimize(verdict);
  }
  report(state, plain);
}
#define VALIDATE(codec, strictness)                                                       \
  BENCHMARK_CAPTURE(validate, codec##_##strictness, Codec::codec, Strictness::strictness) \
      ->Arg(1 << 10)                                                                      \
      ->Arg(16 << 10)                                                                     \
      ->Arg(1 << 20)
VALIDATE(kNone, kStrict);
VALIDATE(kGzip, kStrict);
VALIDATE(kGzip, kTrustCompressed);
VALIDATE(kSnappy, kStrict);
VALIDATE(kSnappy, kTrustCompressed);
VALIDATE(kLz4, kStrict);
VALIDATE(kLz4, kTrustCompressed);
VALIDATE(kZstd, kStrict);
VALIDATE(kZstd, kTrustCompressed);

void recompress(benchmark::State& state, Codec from, Codec to) {
  size_t plain = static_cast<size_t>(state.range(0));
  Buffer batch = make_batch(from, plain);
  BatchPolicy policy{.compression = Compression{to, {}}, .max_message_bytes = INT32_MAX};
  for (auto _ : state) benchmark::DoNotOptimize(validate_batch(batch, policy, {.now = kNow}));
  report(state, plain);
}
BENCHMARK_CAPTURE(recompress, none_lz4, Codec::kNone, Codec::kLz4)->Arg(16 << 10);
BENCHMARK_CAPTURE(recompress, none_zstd, Codec::kNone, Codec::kZstd)->Arg(16 << 10);
BENCHMARK_CAPTURE(recompress, gzip_zstd, Codec::kGzip, Codec::kZstd)->Arg(16 << 10);

}  // namespace
}  // namespace barnabas::wire
