#include "replication/producer_snapshot.h"

#include <string>

#include "base/crc32c.h"

namespace barnabas::replication {

namespace {

constexpr int16_t kVersion = 1;
constexpr size_t kHeaderSize = 10;  // version, checksum, count
constexpr size_t kCrcStart = 6;     // the checksum covers everything from here
constexpr size_t kEntrySize = 46;

// Writes and reads integers one after the other.
struct Pen {
  std::byte* at;
  template <class T>
  void put(T value) {
    store_be(at, value);
    at += sizeof(T);
  }
};
struct Eye {
  const std::byte* at;
  template <class T>
  T get() {
    T value = load_be<T>(at);
    at += sizeof(T);
    return value;
  }
};

}  // namespace

Buffer encode_producer_snapshot(const ProducerState& state) {
  Buffer bytes(kHeaderSize + kEntrySize * state.producers().size());
  Pen pen{bytes.data() + kCrcStart};
  pen.put(static_cast<int32_t>(state.producers().size()));
  for (const auto& [id, producer] : state.producers()) {
    ProducerState::Batch last;
    if (producer.batch_count > 0) last = producer.batches().back();
    pen.put(id.value);
    pen.put(producer.epoch);
    pen.put(last.last_sequence);
    pen.put(last.last_offset.value);
    pen.put(last.offset_delta);
    pen.put(producer.last_timestamp);
    pen.put(producer.coordinator_epoch);
    pen.put(producer.transaction_start.value_or(kNoOffset).value);
  }
  store_be(bytes.data(), kVersion);
  store_be(bytes.data() + 2, crc32c(BytesView(bytes).subspan(kCrcStart)));
  return bytes;
}

Result<ProducerState> decode_producer_snapshot(BytesView bytes) {
  if (bytes.size() < kHeaderSize) return fail(ErrorCode::kCorrupt, "the producer snapshot is cut short");
  int16_t version = load_be<int16_t>(bytes.data());
  if (version != kVersion) {
    return fail(ErrorCode::kCorrupt, "the producer snapshot has the unknown version " + std::to_string(version));
  }
  if (load_be<uint32_t>(bytes.data() + 2) != crc32c(bytes.subspan(kCrcStart))) {
    return fail(ErrorCode::kCorrupt, "the checksum of the producer snapshot is wrong");
  }
  Eye eye{bytes.data() + kCrcStart};
  int32_t count = eye.get<int32_t>();
  if (count < 0 || bytes.size() != kHeaderSize + kEntrySize * static_cast<size_t>(count)) {
    return fail(ErrorCode::kCorrupt, "the producer snapshot of " + std::to_string(bytes.size()) +
                                         " bytes cannot have " + std::to_string(count) + " entries");
  }
  ProducerState state;
  for (int32_t i = 0; i < count; ++i) {
    ProducerState::Producer producer;
    ProducerState::Batch last;
    ProducerId id(eye.get<int64_t>());
    producer.epoch = eye.get<int16_t>();
    last.last_sequence = eye.get<int32_t>();
    last.last_offset = Offset(eye.get<int64_t>());
    last.offset_delta = eye.get<int32_t>();
    producer.last_timestamp = last.timestamp = eye.get<int64_t>();
    producer.coordinator_epoch = eye.get<int32_t>();
    Offset transaction_start(eye.get<int64_t>());
    if (transaction_start.value >= 0) producer.transaction_start = transaction_start;
    if (last.last_offset.value >= 0) {
      producer.recent[0] = last;
      producer.batch_count = 1;
    }
    if (state.find(id) != nullptr) {
      return fail(ErrorCode::kCorrupt, "the producer snapshot has producer " + std::to_string(id.value) + " twice");
    }
    state.restore(id, producer);
  }
  return state;
}

}  // namespace barnabas::replication
