// Our side of the proof: prints what is in batches, makes them again, and answers requests as a leader. See run.py.
//
//   wire_batches read <batches>               what is in them, one line each
//   wire_batches again <batches>              per batch: same | differs | compressed, when made again out of its
//   records wire_batches compress <batches> <to>      each batch again with every codec and a row of levels
//   wire_batches judge <cases>                the answer to each request
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "wire/batch_validator.h"
#include "wire/kafka_error.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::wire {
namespace {

constexpr Compression kCompressions[] = {
    {Codec::kNone, {}},   {Codec::kGzip, {}}, {Codec::kGzip, 1},  {Codec::kGzip, 9}, {Codec::kSnappy, {}},
    {Codec::kLz4, {}},    {Codec::kLz4, 1},   {Codec::kLz4, 4},   {Codec::kLz4, 17}, {Codec::kZstd, {}},
    {Codec::kZstd, -100}, {Codec::kZstd, 1},  {Codec::kZstd, 12}, {Codec::kZstd, 22}};

std::string hex(const std::optional<BytesView>& bytes) {
  return bytes ? "x" + to_hex(*bytes) : "null";
}

Result<std::string> describe(BytesView batch) {
  TRY_ASSIGN(BatchHeader header, BatchHeader::decode(batch));
  std::ostringstream text;
  text << "batch " << header.last_offset_delta << ' ' << header.partition_leader_epoch << ' '
       << (header.attributes & ~kCodecBits) << ' ' << header.base_timestamp << ' ' << header.max_timestamp << ' '
       << header.producer_id << ' ' << header.producer_epoch << ' ' << header.base_sequence << ' '
       << header.last_sequence() << ' ' << header.record_count << ' ' << (crc_matches(batch) ? "valid" : "damaged")
       << ' ' << codec_name(header.compression());
  RecordIterator records(header, batch);
  RecordView record;
  while (records.next(record)) {
    text << "|record " << record.offset_delta << ' ' << header.record_timestamp(record.timestamp_delta) << ' '
         << hex(record.key) << ' ' << hex(record.value);
    for (const HeaderView& h : record.headers) text << ' ' << hex(as_bytes(h.key)) << '=' << hex(h.value);
  }
  TRY(records.status());
  return text.str();
}

Result<Buffer> rebuild(BytesView batch, const Compression& compression) {
  TRY_ASSIGN(BatchHeader header, BatchHeader::decode(batch));
  BatchOptions options{.compression = compression,
                       .base_offset = header.first_offset(),
                       .leader_epoch = header.leader_epoch(),
                       .producer_id = ProducerId(header.producer_id),
                       .producer_epoch = header.producer_epoch,
                       .base_sequence = header.base_sequence,
                       .transactional = header.is_transactional(),
                       .control = header.is_control(),
                       .delete_horizon = header.delete_horizon()};
  if (header.timestamp_type() == TimestampType::kLogAppendTime) options.log_append_time = header.max_timestamp;
  BatchBuilder builder(options);
  RecordIterator records(header, batch);
  RecordView record;
  while (records.next(record)) {
    std::vector<HeaderView> headers;
    for (const HeaderView& h : record.headers) headers.push_back(h);
    builder.add({.timestamp = header.base_timestamp + record.timestamp_delta,
                 .key = record.key,
                 .value = record.value,
                 .headers = headers,
                 .offset_delta = record.offset_delta});
  }
  TRY(records.status());
  builder.set_last_offset_delta(header.last_offset_delta);
  return builder.build();
}

std::vector<Buffer> load(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  BytesView rest = as_bytes(text);
  std::vector<Buffer> batches;
  while (rest.size() >= 4) {
    size_t size = load_be<uint32_t>(rest.data());
    batches.push_back(to_buffer(rest.subspan(4, size)));
    rest = rest.subspan(4 + size);
  }
  return batches;
}

int read_all(const char* path) {
  for (const Buffer& batch : load(path)) {
    auto text = describe(batch);
    std::cout << (text ? *text : "unreadable " + text.error().message) << '\n';
  }
  return 0;
}

int again(const char* path) {
  for (const Buffer& batch : load(path)) {
    auto header = BatchHeader::decode(batch);
    if (header && header->is_compressed()) {
      std::cout << "compressed\n";
      continue;
    }
    auto made = rebuild(batch, {});
    std::cout << (made && *made == batch ? "same" : "differs") << '\n';
  }
  return 0;
}

int compress_all(const char* path, const char* to) {
  std::ofstream out(to, std::ios::binary);
  for (const Buffer& batch : load(path)) {
    for (const Compression& compression : kCompressions) {
      auto made = rebuild(batch, compression);
      if (!made) {
        std::cerr << made.error().message << '\n';
        return 1;
      }
      std::byte size[4];
      store_be(size, static_cast<uint32_t>(made->size()));
      out << as_text(size) << as_text(*made);
      std::cout << codec_name(compression.codec) << '\n';
    }
  }
  return out.good() ? 0 : 1;
}

Buffer from_hex(std::string_view text) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Buffer bytes;
  for (size_t i = 1; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

std::string answer(const std::string& line) {
  std::istringstream in(line);
  std::string codec, level, bytes;
  int append_time = 0;
  int compacted = 0;
  BatchPolicy policy;
  ProduceContext context;
  in >> codec >> level >> append_time >> policy.timestamp_before_max_ms >> policy.timestamp_after_max_ms >> compacted >>
      policy.max_message_bytes >> policy.segment_bytes >> context.api_version >> context.now >> bytes;
  if (auto named = codec_named(codec)) {
    policy.compression = Compression{*named, level == "-" ? std::nullopt : std::optional(std::stoi(level))};
  }
  policy.timestamp_type = append_time ? TimestampType::kLogAppendTime : TimestampType::kCreateTime;
  policy.compacted = compacted != 0;
  Buffer records = from_hex(bytes);
  BatchVerdict verdict = validate_batch(records, policy, context);
  std::string text = std::to_string(static_cast<int>(verdict.error)) + " [";
  for (const BatchRecordError& error : verdict.record_errors) {
    if (text.back() != '[') text += ", ";
    text += std::to_string(error.batch_index);
  }
  text += "]";
  if (verdict.accepted()) {
    Buffer copy = to_buffer(verdict.bytes());
    verdict.stamp(copy, Offset(0), LeaderEpoch(0));
    auto described = describe(copy);
    text += " " + (described ? *described : described.error().message);
  }
  return text;
}

int judge(const char* path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) std::cout << answer(line) << '\n';
  return 0;
}

}  // namespace
}  // namespace barnabas::wire

int main(int argc, char** argv) {
  using namespace barnabas::wire;
  std::ios::sync_with_stdio(false);
  std::string command = argc > 2 ? argv[1] : "";
  if (command == "read") return read_all(argv[2]);
  if (command == "again") return again(argv[2]);
  if (command == "compress" && argc > 3) return compress_all(argv[2], argv[3]);
  if (command == "judge") return judge(argv[2]);
  std::cerr << "usage: wire_batches read|again|compress|judge <file> [<to>]\n";
  return 2;
}
