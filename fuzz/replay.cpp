// Fuzz target: any bytes as what is replayed at a start: the metadata log, a snapshot of it, the records of
// __consumer_offsets; the first byte chooses. What cannot be followed is an error, never a crash, and an image that was
// built says the same when it is written as a snapshot and read again.
#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "group/group_shard.h"
#include "metadata/image_builder.h"
#include "metadata/log_replay.h"
#include "metadata/snapshot.h"
#include "wire/record_batch.h"

namespace barnabas {
namespace {

constexpr size_t kCrcAt = 17;

// Every batch with the checksum that its bytes have, so that more than checksums is tried.
Buffer with_right_checksums(BytesView bytes) {
  Buffer all = to_buffer(bytes);
  for (size_t at = 0; at + wire::kBatchOverhead <= all.size();) {
    auto header = wire::BatchHeader::decode(BytesView(all).subspan(at));
    if (!header || header->size_in_bytes() > all.size() - at || header->size_in_bytes() < wire::kBatchOverhead) break;
    BytesView batch = BytesView(all).subspan(at, header->size_in_bytes());
    store_be(all.data() + at + kCrcAt, wire::compute_crc(batch));
    at += header->size_in_bytes();
  }
  return all;
}

void expect_snapshot_of(const metadata::Image& image) {
  metadata::Snapshot snapshot{.records = metadata::snapshot_records(image)};
  auto again = metadata::image_of(snapshot, Offset(1));
  CHECK(again.has_value());
  CHECK(metadata::snapshot_records(**again) == snapshot.records);
}

void try_snapshot(BytesView bytes) {
  auto snapshot = metadata::decode_snapshot(bytes);
  if (!snapshot) return;
  auto image = metadata::image_of(*snapshot, Offset(1));
  if (image) expect_snapshot_of(**image);
}

void try_log(BytesView bytes) {
  metadata::ImageBuilder builder;
  auto replayed = metadata::replay_batches(bytes, Offset(0), builder);
  if (replayed) expect_snapshot_of(*builder.build().image);
}

// Key and value behind their lengths (a byte each; 255: no value), one after the other; of a transaction or not.
void try_group_records(BytesView bytes) {
  group::GroupShard shard{group::GroupConfig{}};
  int64_t offset = 0;
  auto take = [&](BytesView& from) {
    size_t size = std::min<size_t>(std::to_integer<size_t>(from[0]), from.size() - 1);
    BytesView part = from.subspan(1, size);
    from = from.subspan(1 + size);
    return part;
  };
  while (bytes.size() >= 3) {
    auto kind = std::to_integer<uint8_t>(bytes[0]);
    bytes = bytes.subspan(1);
    ProducerId producer(kind & 3 ? (kind & 3) : -1);
    if (kind & 0x40) shard.replay_marker(producer, (kind & 0x20) != 0);
    BytesView key = take(bytes);
    std::optional<BytesView> value;
    if (!bytes.empty()) {
      bool deleted = std::to_integer<uint8_t>(bytes[0]) == 255;
      if (deleted) bytes = bytes.subspan(1);
      if (!deleted) value = take(bytes);
    }
    (void)shard.replay({Offset(offset++), producer, key, value});
  }
  group::Now now{1'000'000, {1'000'000'000}};
  (void)shard.finish_load(now);
  now.wall_ms += 100'000'000'000;
  now.monotonic = now.monotonic + seconds(100'000'000);
  (void)shard.tick(now);
  (void)shard.list({});
  (void)shard.describe("g", 6);
}

void run(uint8_t kind, BytesView bytes) {
  switch (kind % 3) {
    case 0:
      return try_snapshot(with_right_checksums(bytes));
    case 1:
      return try_log(with_right_checksums(bytes));
    default:
      return try_group_records(bytes);
  }
}

}  // namespace
}  // namespace barnabas

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  barnabas::run(data[0], {reinterpret_cast<const std::byte*>(data) + 1, size - 1});
  return 0;
}
