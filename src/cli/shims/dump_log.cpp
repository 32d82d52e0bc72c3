// kafka-dump-log
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "cli/segment_file.h"
#include "cli/shims/shim.h"
#include "log/sparse_index.h"
#include "replication/producer_snapshot.h"
#include "replication/transaction_index.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::cli::shims {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStringDecoder = "org.apache.kafka.tools.api.StringDecoder";

constexpr Option kTable[] = {
    flag("print-data-log", "Show the records; the decoders do that anyway"),
    flag("verify-index-only", "Check indexes, and do not show them"),
    flag("index-sanity-check", "Check of indexes what a broker checks when it starts"),
    text("files", "file1, file2, ...", "REQUIRED: Files of logs and indexes, with commas"),
    integer("max-message-size", "size", "How large a record may be", "5242880"),
    integer("max-bytes", "size", "Read no more than this of each log", "2147483647"),
    flag("deep-iteration", "Show each record, not batches only"),
    maybe_text("value-decoder-class", "", "The class that makes text of values; only the built-in ones",
               kStringDecoder),
    maybe_text("key-decoder-class", "", "The class that makes text of keys; only the built-in ones", kStringDecoder),
    flag("offsets-decoder", "Show records as those of __consumer_offsets"),
    flag("transaction-log-decoder", "Show records as those of __transaction_state"),
    flag("cluster-metadata-decoder", "Show records as those of __cluster_metadata"),
    flag("remote-log-metadata-decoder", "Show records as those of __remote_log_metadata; not in this build"),
    flag("share-group-state-decoder", "Show records as those of __share_group_state"),
    flag("skip-record-metadata", "Show keys and values only, and no control records"),
    flag("help", "This text"),
    flag("version", "The version of Kafka"),
};
constexpr std::string_view kAbout =
    "This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly "
    "corrupt "
    "log segment.";

enum class TextDecoder { kString, kLong, kInteger };

std::optional<TextDecoder> text_decoder(const std::string& class_name) {
  std::string_view name = std::string_view(class_name).substr(class_name.rfind('.') + 1);
  if (name == "StringDecoder" || name == "DefaultDecoder") return TextDecoder::kString;
  if (name == "LongDecoder") return TextDecoder::kLong;
  if (name == "IntegerDecoder") return TextDecoder::kInteger;
  return std::nullopt;
}

class Dump {
 public:
  explicit Dump(const Options& options) : options_(options) {
    if (options.has("offsets-decoder")) {
      decoder_ = Decoder::kGroups;
    } else if (options.has("transaction-log-decoder")) {
      decoder_ = Decoder::kTransactions;
    } else if (options.has("cluster-metadata-decoder")) {
      decoder_ = Decoder::kMetadata;
    } else if (options.has("share-group-state-decoder")) {
      decoder_ = Decoder::kShares;
    }
    with_contents_ = decoder_ != Decoder::kNone || options.has("print-data-log");
    deep_ = with_contents_ || options.has("deep-iteration");
    max_bytes_ = static_cast<uint64_t>(std::max<int64_t>(0, *options.number("max-bytes")));
  }

  int run() {
    for (const std::string& name : split(options_.value("files"), ',')) {
      std::string path(trim(name));
      say(fmt::format("Dumping {}\n", path));
      if (!file(path)) return 1;
    }
    std::fflush(stdout);
    tell_faults("Mismatches in :{}", index_mismatches_, "  Index offset: {}, log offset: {}");
    tell_faults("Found timestamp mismatch in :{}", time_mismatches_, "  Index timestamp: {}, log timestamp: {}");
    tell_faults("Found out of order timestamp in :{}", out_of_order_,
                "  Index timestamp: {}, Previously indexed timestamp: {}");
    for (const auto& [path, pairs] : not_found_) {
      warn(fmt::format("The following indexed offsets are not found in the log.\n"));
      for (const auto& [a, b] : pairs) warn(fmt::format("Indexed offset: {}, found log offset: {}\n", a, b));
    }
    tell_faults("Non-consecutive offsets in {}", gaps_, "  {} is followed by {}");
    return 0;
  }

 private:
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;
  using Faults = std::map<std::string, Pairs>;

  static void tell_faults(fmt::string_view title, const Faults& faults, fmt::string_view line) {
    for (const auto& [path, pairs] : faults) {
      warn(fmt::format("{}\n", fmt::vformat(title, fmt::make_format_args(path))));
      for (const auto& [a, b] : pairs) warn(fmt::format("{}\n", fmt::vformat(line, fmt::make_format_args(a, b))));
    }
  }

  static bool failed(std::string_view message) {
    std::fflush(stdout);
    warn(fmt::format("{}\n", message));
    return false;
  }

  // Of "00000000000000000720.log"; nothing (and a word about it) for another name.
  static std::optional<int64_t> base_offset(const fs::path& path) {
    std::string name = path.filename().string();
    std::string digits = name.substr(0, name.find('.'));
    int64_t offset = 0;
    auto [stopped, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (wrong == std::errc{} && stopped == digits.data() + digits.size()) return offset;
    failed(fmt::format("For input string: \"{}\"", digits));
    return std::nullopt;
  }

  static std::optional<SegmentFile> open(const fs::path& path) {
    auto file = SegmentFile::open(path);
    if (file) return *std::move(file);
    failed(file.error().code == ErrorCode::kNotFound ? path.string() : file.error().message);
    return std::nullopt;
  }

  static fs::path beside(const fs::path& path, std::string_view suffix) {
    std::string name = path.filename().string();
    return path.parent_path() / (name.substr(0, name.find('.')) + std::string(suffix));
  }

  bool file(const fs::path& path) {
    std::string suffix = path.extension().string();
    if (suffix == ".log" || suffix == ".checkpoint") return log(path);
    if (suffix == ".index") return offset_index(path);
    if (suffix == ".timeindex") return time_index(path);
    if (suffix == ".snapshot") return producers(path);
    if (suffix == ".txnindex") return transactions(path);
    std::fflush(stdout);
    warn(fmt::format("Ignoring unknown file {}\n", path.string()));
    return true;
  }

  bool log(const fs::path& path) {
    auto keys = text_decoder(options_.value("key-decoder-class"));
    auto values = text_decoder(options_.value("value-decoder-class"));
    if (!keys || !values) return failed("Failed to load decoder class");
    std::string name = path.filename().string();
    if (path.extension() == ".log") {
      auto base = base_offset(path);
      if (!base) return false;
      say(fmt::format("Log starting offset: {}\n", *base));
    } else if (name == "bootstrap.checkpoint") {
      say(fmt::format("KRaft bootstrap snapshot\n"));
    } else {
      auto offset = base_offset(name.substr(0, name.find('-')));
      if (!offset) return false;
      int32_t epoch = 0;
      std::string digits = name.substr(name.find('-') + 1);
      std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
      say(fmt::format("Snapshot end offset: {}, epoch: {}\n", *offset, epoch));
    }
    auto file = open(path);
    if (!file) return false;
    BytesView bytes = file->bytes().first(std::min<uint64_t>(file->bytes().size(), max_bytes_));
    wire::BatchCursor cursor(bytes);
    int64_t last_offset = -1;
    while (true) {
      size_t position = cursor.position();
      auto batch = cursor.next();
      if (!batch) return failed(batch.error().message);
      if (!*batch || output_closed()) break;
      print_batch((*batch)->header, (*batch)->bytes, position);
      if (deep_ && !records(fs::absolute(path), **batch, last_offset, *keys, *values)) return false;
    }
    size_t trailing = bytes.size() - cursor.position();
    if (trailing > 0 && max_bytes_ == INT32_MAX) {
      say(fmt::format("Found {} invalid bytes at the end of {}\n", trailing, name));
    }
    return true;
  }

  static std::string_view time_name(const wire::BatchHeader& header) {
    return header.timestamp_type() == wire::TimestampType::kLogAppendTime ? "LogAppendTime" : "CreateTime";
  }

  static void print_batch(const wire::BatchHeader& header, BytesView bytes, size_t position) {
    std::string horizon = "OptionalLong.empty";
    if (auto at = header.delete_horizon()) horizon = fmt::format("OptionalLong[{}]", *at);
    say(fmt::format(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} "
        "partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {} position: {} {}: {} size: {} "
        "magic: {} compresscodec: {} crc: {} isvalid: {}\n",
        header.base_offset, header.base_offset + header.last_offset_delta, header.record_count, header.base_sequence,
        header.last_sequence(), header.producer_id, header.producer_epoch, header.partition_leader_epoch,
        header.is_transactional(), header.is_control(), horizon, position, time_name(header), header.max_timestamp,
        header.size_in_bytes(), header.magic, wire::codec_name(header.compression()), header.crc,
        wire::crc_matches(bytes)));
  }

  static std::expected<std::string, std::string> text_of(BytesView bytes, TextDecoder decoder) {
    if (decoder == TextDecoder::kString) return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    size_t needed = decoder == TextDecoder::kLong ? 8 : 4;
    if (bytes.size() < needed)
      return std::unexpected(fmt::format("{} bytes are no number of {}", bytes.size(), needed));
    return std::to_string(needed == 8 ? load_be<int64_t>(bytes.data()) : load_be<int32_t>(bytes.data()));
  }

  bool records(const fs::path& path, const wire::BatchView& batch, int64_t& last_offset, TextDecoder keys,
               TextDecoder values) {
    const wire::BatchHeader& header = batch.header;
    bool skip_metadata = options_.has("skip-record-metadata");
    wire::RecordIterator iterator(header, batch.bytes);
    wire::RecordView record;
    while (iterator.next(record)) {
      int64_t offset = header.base_offset + record.offset_delta;
      if (offset != last_offset + 1) {
        auto& pairs = gaps_[path.string()];
        pairs.insert(pairs.begin(), {last_offset, offset});
      }
      last_offset = offset;
      std::string line;
      if (!skip_metadata) {
        int32_t sequence = wire::kNoSequence;
        if (header.base_sequence != wire::kNoSequence) {
          sequence = static_cast<int32_t>((int64_t{header.base_sequence} + record.offset_delta) & INT32_MAX);
        }
        std::vector<std::string_view> names;
        for (const auto& one : record.headers) names.push_back(one.key);
        auto size = [](const std::optional<BytesView>& bytes) {
          return bytes ? static_cast<int64_t>(bytes->size()) : -1;
        };
        line = fmt::format("| offset: {} {}: {} keySize: {} valueSize: {} sequence: {} headerKeys: [{}]", offset,
                           time_name(header), header.record_timestamp(record.timestamp_delta), size(record.key),
                           size(record.value), sequence, fmt::join(names, ","));
        if (header.is_control()) line += " " + describe_control_record(record.key, record.value);
      } else if (!header.is_control()) {
        line = "|";
      }
      if (with_contents_ && !header.is_control()) {
        if (!append_contents(line, record, offset, keys, values)) return false;
      }
      if (!line.empty()) say(fmt::format("{}\n", line));
    }
    auto status = iterator.status();
    return status ? true : failed(status.error().message);
  }

  bool append_contents(std::string& line, const wire::RecordView& record, int64_t offset, TextDecoder keys,
                       TextDecoder values) const {
    if (decoder_ != Decoder::kNone) {
      DecodedRecord decoded = decode_record(decoder_, record.key, record.value, offset);
      if (decoded.key) line += " key: " + *decoded.key;
      if (decoded.value) line += " payload: " + *decoded.value;
      return true;
    }
    auto append = [&](std::string_view word, const std::optional<BytesView>& bytes, TextDecoder decoder) {
      if (!bytes) return true;
      auto text = text_of(*bytes, decoder);
      if (!text) return failed(text.error());
      line += fmt::format(" {}: {}", word, *text);
      return true;
    };
    return append("key", record.key, keys) && append("payload", record.value, values);
  }

  // The first batch at `position` of a log; nothing where there is no whole one.
  static std::optional<wire::BatchHeader> batch_at(BytesView log, uint64_t position) {
    if (position >= log.size()) return std::nullopt;
    auto batch = wire::BatchCursor(log.subspan(position)).next();
    if (!batch || !*batch) return std::nullopt;
    return (*batch)->header;
  }

  // Checks an index's size; false with a word about it.
  static bool whole_entries(const fs::path& path, BytesView bytes, size_t entry) {
    if (bytes.size() % entry == 0) return true;
    return failed(
        fmt::format("Index file {} is corrupt, found {} bytes which is neither positive nor a multiple of {}.",
                    fs::absolute(path).string(), bytes.size(), entry));
  }

  bool sane(const fs::path& path, int64_t base, int64_t last) const {
    if (last >= base) {
      say(fmt::format("{} passed sanity check.\n", path.string()));
      return true;
    }
    return failed(
        fmt::format("Corrupt index found, index file ({}) has non-zero size but the last offset is {} which "
                    "is less than the base offset {}.",
                    fs::absolute(path).string(), last, base));
  }

  bool offset_index(const fs::path& path) {
    auto base = base_offset(path);
    if (!base) return false;
    auto log = open(beside(path, ".log"));
    auto index = open(path);
    if (!log || !index || !whole_entries(path, index->bytes(), log::OffsetEntry::kSize)) return false;
    size_t count = index->bytes().size() / log::OffsetEntry::kSize;
    auto entry_at = [&](size_t i) {
      return log::OffsetEntry::decode(index->bytes().data() + i * log::OffsetEntry::kSize);
    };
    if (count == 0) {
      say(fmt::format("{} is empty.\n", path.string()));
      return true;
    }
    if (options_.has("index-sanity-check")) return sane(path, *base, *base + entry_at(count - 1).relative_offset);
    for (size_t i = 0; i < count; ++i) {
      log::OffsetEntry entry = entry_at(i);
      if (entry.relative_offset == 0 && i > 0) return true;  // what a crash left: space that was only reserved
      int64_t offset = *base + entry.relative_offset;
      auto batch = batch_at(log->bytes(), static_cast<uint64_t>(std::max(0, entry.position)));
      if (!batch) return failed(fmt::format("there is no whole batch at position {}", entry.position));
      int64_t found = batch->base_offset + batch->last_offset_delta;
      if (found != offset) {
        auto& pairs = index_mismatches_[fs::absolute(path).string()];
        pairs.insert(pairs.begin(), {offset, found});
      }
      if (!options_.has("verify-index-only")) say(fmt::format("offset: {} position: {}\n", offset, entry.position));
    }
    return true;
  }

  bool time_index(const fs::path& path) {
    auto base = base_offset(path);
    if (!base) return false;
    auto log = open(beside(path, ".log"));
    auto offsets = open(beside(path, ".index"));
    auto index = open(path);
    if (!log || !offsets || !index || !whole_entries(path, index->bytes(), log::TimeEntry::kSize)) return false;
    size_t count = index->bytes().size() / log::TimeEntry::kSize;
    auto entry_at = [&](size_t i) { return log::TimeEntry::decode(index->bytes().data() + i * log::TimeEntry::kSize); };
    if (options_.has("index-sanity-check")) {
      return sane(path, *base, count == 0 ? *base : *base + entry_at(count - 1).relative_offset);
    }
    std::string absolute = fs::absolute(path).string();
    int64_t previous = kNoTimestamp;
    for (size_t i = 0; i < count; ++i) {
      log::TimeEntry entry = entry_at(i);
      if (entry.relative_offset == 0 && i > 0) return true;
      int64_t offset = *base + entry.relative_offset;
      check_time(absolute, log->bytes(), position_for(offsets->bytes(), entry.relative_offset), offset, entry.timestamp,
                 previous);
      if (!options_.has("verify-index-only")) say(fmt::format("timestamp: {} offset: {}\n", entry.timestamp, offset));
      previous = entry.timestamp;
    }
    return true;
  }

  // Where to begin to look for an offset.
  static uint64_t position_for(BytesView index, int32_t relative_offset) {
    uint64_t position = 0;
    for (size_t at = 0; at + log::OffsetEntry::kSize <= index.size(); at += log::OffsetEntry::kSize) {
      auto entry = log::OffsetEntry::decode(index.data() + at);
      if (entry.relative_offset > relative_offset || (entry.relative_offset == 0 && at > 0)) break;
      position = static_cast<uint64_t>(std::max(0, entry.position));
    }
    return position;
  }

  void check_time(const std::string& path, BytesView log, uint64_t position, int64_t offset, int64_t timestamp,
                  int64_t previous) {
    wire::BatchCursor cursor(log.subspan(std::min<uint64_t>(position, log.size())));
    while (true) {
      auto batch = cursor.next();
      if (!batch || !*batch) {
        not_found_[path].emplace_back(offset, -1);
        return;
      }
      const wire::BatchHeader& header = (*batch)->header;
      int64_t last = header.base_offset + header.last_offset_delta;
      if (last < offset) continue;
      if (last != offset) {
        not_found_[path].emplace_back(offset, last);
        return;
      }
      if (header.max_timestamp != timestamp) time_mismatches_[path].emplace_back(timestamp, header.max_timestamp);
      if (previous >= timestamp) out_of_order_[path].emplace_back(timestamp, previous);
      return;
    }
  }

  static bool producers(const fs::path& path) {
    auto file = open(path);
    if (!file) return false;
    auto state = replication::decode_producer_snapshot(file->bytes());
    if (!state) {
      constexpr size_t kFront = 10, kEntry = 46;  // version, checksum, count; a producer
      BytesView bytes = file->bytes();
      bool whole = bytes.size() >= kFront && (bytes.size() - kFront) % kEntry == 0 &&
                   load_be<uint32_t>(bytes.data() + 6) == (bytes.size() - kFront) / kEntry;
      std::fflush(stdout);
      warn(fmt::format(
          "{}\n", whole ? "Snapshot is corrupt (CRC is no longer valid)." : "Snapshot failed schema validation: null"));
      return true;
    }
    for (const auto& [id, producer] : state->producers()) {
      std::string start = "OptionalLong.empty";
      if (producer.transaction_start) start = fmt::format("OptionalLong[{}]", producer.transaction_start->value);
      say(fmt::format(
          "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} lastTimestamp: {} ",
          id.value, producer.epoch, producer.coordinator_epoch, start, producer.last_timestamp));
      if (producer.batch_count > 0) {
        const auto& batch = producer.batches().back();
        say(fmt::format("firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
                        batch.first_sequence(), batch.last_sequence, batch.last_offset.value, batch.offset_delta,
                        batch.timestamp));
      }
      say(fmt::format("\n"));
    }
    return true;
  }

  static bool transactions(const fs::path& path) {
    auto file = open(path);
    if (!file) return false;
    auto entries = replication::decode_transaction_index(file->bytes());
    if (!entries) return failed(entries.error().message);
    for (const auto& entry : *entries) {
      say(fmt::format("version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}\n",
                      entry.producer_id.value, entry.first_offset.value, entry.last_offset.value,
                      entry.last_stable_offset.value));
    }
    return true;
  }

  const Options& options_;
  Decoder decoder_ = Decoder::kNone;
  bool with_contents_ = false, deep_ = false;
  uint64_t max_bytes_ = 0;
  Faults index_mismatches_, time_mismatches_, out_of_order_, not_found_, gaps_;
};

}  // namespace

int dump_log(Arguments arguments) {
  auto options = Options::parse(kTable, arguments);
  if (!options) {
    warn(fmt::format("{}\n", options.error()));
    return 1;
  }
  if (auto told = help_or_version(*options, kTable, kAbout)) return *told;
  if (auto missing = require(*options, kTable, {"files"})) return *missing;
  if (auto wrong = options->fault({"files"})) {
    warn(fmt::format("{}\n", *wrong));
    return 1;
  }
  if (options->has("remote-log-metadata-decoder")) {
    warn(fmt::format("--remote-log-metadata-decoder: this build has no tiered storage\n"));
    return 1;
  }
  return Dump(*options).run();
}

}  // namespace barnabas::cli::shims
