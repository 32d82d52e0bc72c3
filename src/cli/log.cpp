// Logs on disk, without a broker: dump batches and records, verify everything that can be checked.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/log_check.h"
#include "cli/segment_file.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::cli {

namespace {

namespace fs = std::filesystem;

struct OffsetRange {
  int64_t first = 0, end = INT64_MAX;
};

// "100", "100:200", ":200", "100:"; the end is not part of it.
std::optional<OffsetRange> parse_range(std::string_view text) {
  OffsetRange range;
  auto number = [](std::string_view digits, int64_t& into) {
    auto [stopped, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return wrong == std::errc{} && stopped == digits.data() + digits.size() && into >= 0;
  };
  size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    if (!number(text, range.first) || range.first == INT64_MAX) return std::nullopt;
    range.end = range.first + 1;
    return range;
  }
  std::string_view from = text.substr(0, colon), to = text.substr(colon + 1);
  if (!from.empty() && !number(from, range.first)) return std::nullopt;
  if (!to.empty() && !number(to, range.end)) return std::nullopt;
  return range;
}

// The logs that a path means, in order: itself, or those of a directory.
std::vector<fs::path> logs_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> logs;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  std::ranges::sort(logs);
  return logs;
}

Value value_of(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}

void add_batch(Table& table, const fs::path& file, const wire::BatchView& batch, size_t position) {
  const wire::BatchHeader& header = batch.header;
  Value producer, epoch, sequence;
  if (header.has_producer_id()) {
    producer = header.producer_id;
    epoch = int{header.producer_epoch};
    sequence = header.base_sequence;
  }
  table.rows.push_back({file.filename().string(), uint64_t{position}, header.base_offset,
                        header.base_offset + header.last_offset_delta, header.record_count, header.max_timestamp,
                        uint64_t{header.size_in_bytes()}, std::string(wire::codec_name(header.compression())),
                        header.partition_leader_epoch, header.is_control(), header.is_transactional(), producer, epoch,
                        sequence, wire::crc_matches(batch.bytes)});
}

Result<> add_records(Table& table, const wire::BatchView& batch, const OffsetRange& range, Decoder decoder) {
  const wire::BatchHeader& header = batch.header;
  wire::RecordIterator iterator(header, batch.bytes);
  wire::RecordView record;
  while (iterator.next(record)) {
    int64_t offset = header.base_offset + record.offset_delta;
    if (offset < range.first || offset >= range.end) continue;
    DecodedRecord decoded;
    if (header.is_control()) {
      decoded.value = describe_control_record(record.key, record.value);
    } else {
      decoded = decode_record(decoder, record.key, record.value, offset);
    }
    Value::List headers;
    for (const auto& one : record.headers) headers.emplace_back(std::string(one.key));
    table.rows.push_back({offset, header.record_timestamp(record.timestamp_delta), value_of(decoded.key),
                          value_of(decoded.value), Value(std::move(headers)), header.is_control()});
  }
  return iterator.status();
}

int dump(Invocation& call) {
  OffsetRange range;
  if (call.has("offsets")) {
    auto parsed = parse_range(call.value("offsets"));
    if (!parsed) return call.usage(fmt::format("--offsets {}: want 100, 100:200, 100: or :200", call.value("offsets")));
    range = *parsed;
  }
  bool records = call.has("records");
  Table batches{.kind = "batches",
                .columns = {{.title = "FILE"},
                            {.title = "POSITION", .right = true},
                            {.title = "FIRST", .right = true},
                            {.title = "LAST", .right = true},
                            {.title = "RECORDS", .right = true},
                            {.title = "TIMESTAMP", .right = true},
                            {.title = "BYTES", .right = true},
                            {.title = "CODEC"},
                            {.title = "EPOCH", .right = true},
                            {.title = "CONTROL", .wide = true},
                            {.title = "TRANSACTIONAL", .wide = true},
                            {.title = "PRODUCER", .right = true, .wide = true},
                            {.title = "PRODUCER-EPOCH", .right = true, .wide = true},
                            {.title = "SEQUENCE", .right = true, .wide = true},
                            {.title = "VALID"}},
                .rows = {},
                .name_column = 2};
  Table contents{.kind = "records",
                 .columns = {{.title = "OFFSET", .right = true},
                             {.title = "TIMESTAMP", .right = true},
                             {.title = "KEY"},
                             {.title = "VALUE"},
                             {.title = "HEADERS", .wide = true},
                             {.title = "CONTROL", .wide = true}},
                 .rows = {}};
  for (const std::string& path : call.values("path")) {
    for (const fs::path& log : logs_of(path)) {
      auto file = SegmentFile::open(log);
      if (!file) {
        call.item_failed({.kind = client::Error::Kind::kIo, .message = file.error().message}, "");
        continue;
      }
      wire::BatchCursor cursor(file->bytes());
      while (true) {
        size_t position = cursor.position();
        auto batch = cursor.next();
        if (!batch || !*batch) break;
        const wire::BatchHeader& header = (*batch)->header;
        if (header.next_offset().value <= range.first) continue;
        if (header.base_offset >= range.end) break;
        if (!records) {
          add_batch(batches, log, **batch, position);
        } else if (auto added = add_records(contents, **batch, range, decoder_for(log)); !added) {
          call.item_failed({.kind = client::Error::Kind::kIo, .message = added.error().message},
                           fmt::format("{} at {}", log.string(), position));
        }
      }
      bool through = cursor.position() < file->bytes().size() && range.end == INT64_MAX;
      if (through) {
        call.out().note(
            fmt::format("barnabas: {}: the last {} bytes are no whole batch; `barnabas log verify` says more.",
                        log.string(), file->bytes().size() - cursor.position()));
      }
    }
  }
  call.out().print(records ? contents : batches);
  return call.exit_code();
}

int verify(Invocation& call) {
  LogCheck check;
  bool progress = stderr_is_terminal();
  uint64_t told = 0;
  for (const std::string& path : call.values("path")) {
    if (!fs::exists(path)) {
      call.item_failed({.kind = client::Error::Kind::kIo, .message = "there is no such file or directory"}, path);
      continue;
    }
    check.add(path);
  }
  while (check.step()) {
    if (!progress || check.done_bytes() - told < (uint64_t{32} << 20)) continue;
    told = check.done_bytes();
    fmt::print(stderr, "\r{:3}% of {} MiB", 100 * told / std::max<uint64_t>(1, check.total_bytes()),
               check.total_bytes() >> 20);
  }
  if (told > 0) fmt::print(stderr, "\r\x1b[K");
  Table table{.kind = "problems", .columns = {{.title = "FILE"}, {.title = "PROBLEM"}}, .rows = {}};
  for (const auto& problem : check.problems()) table.rows.push_back({problem.file.string(), problem.what});
  if (!table.rows.empty() || call.out().for_programs()) call.out().print(table);
  call.out().note(fmt::format("{} segments, {} batches, {} records, {} bytes: {}", check.segments(), check.batches(),
                              check.records(), check.total_bytes(),
                              table.rows.empty()
                                  ? "all is well"
                                  : fmt::format("{} problem{}", table.rows.size(), table.rows.size() == 1 ? "" : "s")));
  return table.rows.empty() ? call.exit_code() : kFailed;
}

}  // namespace

std::vector<Command> log_commands() {
  return {
      {.path = "log dump",
       .summary = "Show the batches or records of segments",
       .positionals = {{.name = "path",
                        .help = "a .log or .checkpoint file, or the directory of a partition",
                        .repeated = true,
                        .completes = Completes::kFile}},
       .flags = {{.name = "records", .letter = 'r', .help = "records, those of Kafka's own topics decoded"},
                 {.name = "offsets", .value = "RANGE", .help = "only these: 100, 100:200, 100: or :200"}},
       .examples = {{"log dump /data/orders-0 --offsets 100:200 --records", "what is at these offsets"},
                    {"log dump /data/__consumer_offsets-3 -r -o json", "what groups committed"}},
       .connects = false,
       .run = dump},
      {.path = "log verify",
       .summary = "Check segments, indexes and snapshots of partitions, of a node that does not run",
       .positionals = {{.name = "path",
                        .help = "directories of partitions, or log directories with all theirs",
                        .repeated = true,
                        .completes = Completes::kFile}},
       .examples = {{"log verify /data", "check everything; exit 1 when something is wrong"}},
       .connects = false,
       .run = verify},
  };
}

}  // namespace barnabas::cli
