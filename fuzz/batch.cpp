// Fuzz target: any bytes as the records of a Produce request, with a right checksum, under a topic's settings that the
// first byte chooses. What is accepted must be a batch that can be read, and accepted again.
#include <cstdint>

#include "base/check.h"
#include "wire/batch_validator.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::wire {
namespace {

constexpr TimestampMs kNow = 1'800'000'000'000;
constexpr size_t kCrcAt = 17;

BatchPolicy policy_of(uint8_t choice) {
  BatchPolicy policy{.max_message_bytes = 1 << 20};
  policy.compacted = (choice & 1) != 0;
  if ((choice & 2) != 0) policy.timestamp_type = TimestampType::kLogAppendTime;
  uint8_t codec = choice >> 2 & 7;
  if (codec <= static_cast<uint8_t>(Codec::kZstd)) policy.compression = Compression{static_cast<Codec>(codec), {}};
  if ((choice & 0x20) != 0) policy.strictness = Strictness::kTrustCompressed;
  return policy;
}

bool readable(const BatchHeader& header, BytesView batch) {
  RecordIterator records(header, batch, RecordIterator::Want::kAll,
                         {.batch_bytes = 64 << 20, .record_bytes = 16 << 20});
  RecordView record;
  while (records.next(record)) {
    for (const HeaderView& h : record.headers) CHECK(h.key.size() <= batch.size() || header.is_compressed());
  }
  return records.status().has_value();
}

void try_batch(uint8_t choice, BytesView input) {
  Buffer batch = to_buffer(input);
  if (batch.size() >= kBatchOverhead) {
    auto header = BatchHeader::decode(batch);
    if (header && header->size_in_bytes() <= batch.size()) {
      store_be(batch.data() + kCrcAt, compute_crc(BytesView(batch).first(header->size_in_bytes())));
    }
  }
  BatchCursor cursor(batch);
  for (;;) {
    auto next = cursor.next();
    if (!next || !*next) break;
    readable((*next)->header, (*next)->bytes);
  }

  BatchPolicy policy = policy_of(choice);
  BatchVerdict verdict = validate_batch(batch, policy, {.now = kNow});
  if (!verdict.accepted()) return;
  Buffer stored = to_buffer(verdict.bytes());
  verdict.stamp(stored, Offset(0), LeaderEpoch(1));
  CHECK(crc_matches(stored));
  auto header = BatchHeader::decode(stored);
  CHECK(header.has_value());
  if (!verdict.opened) return;
  CHECK(header->max_timestamp == verdict.header.max_timestamp);
  if (!header->is_compressed()) CHECK(readable(*header, stored));
}

}  // namespace
}  // namespace barnabas::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  barnabas::wire::try_batch(data[0], {reinterpret_cast<const std::byte*>(data) + 1, size - 1});
  return 0;
}
