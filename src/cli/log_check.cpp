#include "cli/log_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/file_names.h"
#include "log/sparse_index.h"
#include "replication/producer_snapshot.h"
#include "replication/transaction_index.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::cli {

namespace {

namespace fs = std::filesystem;

// The whole batch at `position`; nothing where there is none.
std::optional<wire::BatchHeader> batch_at(BytesView log, int64_t position) {
  if (position < 0 || static_cast<uint64_t>(position) >= log.size()) return std::nullopt;
  auto batch = wire::BatchCursor(log.subspan(static_cast<size_t>(position))).next();
  if (!batch || !*batch) return std::nullopt;
  return (*batch)->header;
}

Result<SegmentFile> log_beside(const fs::path& index) {
  return SegmentFile::open(fs::path(index).replace_extension(".log"));
}

}  // namespace

void LogCheck::add(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    files_.push_back(path);
    total_bytes_ += fs::file_size(path, ignored);
    return;
  }
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(path, ignored)) entries.push_back(entry.path());
  std::ranges::sort(entries);
  for (const fs::path& entry : entries) {
    if (fs::is_directory(entry, ignored)) {
      add(entry);
    } else if (log::parse_file_name(entry.filename().string()) || entry.extension() == ".checkpoint") {
      add(entry);
    }
  }
}

bool LogCheck::step() {
  if (next_ == files_.size()) return false;
  const fs::path& path = files_[next_++];
  auto file = SegmentFile::open(path);
  if (!file) {
    problems_.push_back({path, file.error().message});
    return true;
  }
  done_bytes_ += file->bytes().size();
  std::string filename = path.filename().string();
  auto name = log::parse_file_name(filename);
  int64_t base = name ? name->base.value : 0;
  std::string suffix = path.extension().string();
  if (suffix == ".log" || suffix == ".checkpoint") log(*file, suffix == ".log" ? base : 0);
  if (suffix == ".index") offset_index(*file, base);
  if (suffix == ".timeindex") time_index(*file, base);
  if (suffix == ".txnindex") {
    auto entries = replication::decode_transaction_index(file->bytes());
    if (!entries) problem(*file, entries.error().message);
  }
  if (suffix == ".snapshot") {
    auto state = replication::decode_producer_snapshot(file->bytes());
    if (!state) problem(*file, state.error().message);
  }
  return true;
}

void LogCheck::log(const SegmentFile& file, int64_t base) {
  ++segments_;
  wire::BatchCursor cursor(file.bytes());
  int64_t expected = base;
  while (true) {
    size_t position = cursor.position();
    auto batch = cursor.next();
    if (!batch) {
      problem(file, fmt::format("at {}: {}; {} bytes follow that cannot be read", position, batch.error().message,
                                file.bytes().size() - position));
      return;
    }
    if (!*batch) break;
    ++batches_;
    const wire::BatchHeader& header = (*batch)->header;
    if (header.base_offset < expected) {
      problem(file, fmt::format("at {}: a batch begins with offset {}, where {} or more is expected", position,
                                header.base_offset, expected));
    }
    if (header.last_offset_delta < 0) {
      problem(file, fmt::format("at {}: a batch ends before it begins", position));
    }
    expected = std::max(expected, header.next_offset().value);
    if (!wire::crc_matches((*batch)->bytes)) {
      problem(file,
              fmt::format("at {}: the checksum of the batch of offset {} is wrong", position, header.base_offset));
      continue;
    }
    wire::RecordIterator iterator(header, (*batch)->bytes, wire::RecordIterator::Want::kShape);
    wire::RecordView record;
    int32_t last = -1;
    bool ordered = true;
    while (iterator.next(record)) {
      ++records_;
      ordered = ordered && record.offset_delta > last && record.offset_delta <= header.last_offset_delta;
      last = record.offset_delta;
    }
    if (auto status = iterator.status(); !status) {
      problem(file, fmt::format("at {}: {}", position, status.error().message));
    } else if (!ordered) {
      problem(file, fmt::format("at {}: the records of the batch of offset {} are not in order", position,
                                header.base_offset));
    }
  }
  if (!cursor.tail().empty()) {
    problem(file, fmt::format("at {}: the last {} bytes are no whole batch", cursor.position(), cursor.tail().size()));
  }
}

void LogCheck::offset_index(const SegmentFile& file, int64_t base) {
  BytesView bytes = file.bytes();
  if (bytes.size() % log::OffsetEntry::kSize != 0) {
    return problem(file, fmt::format("{} bytes are no whole number of entries", bytes.size()));
  }
  auto segment = log_beside(file.path());
  if (!segment) return problem(file, "there is no log beside it");
  log::OffsetEntry previous{-1, -1};
  for (size_t at = 0; at < bytes.size(); at += log::OffsetEntry::kSize) {
    auto entry = log::OffsetEntry::decode(bytes.data() + at);
    if (entry.relative_offset == 0 && at > 0) return;  // reserved space, of a segment that is or was written to
    if (at == 0 && entry.relative_offset == 0 && entry.position == 0 && bytes.size() > log::OffsetEntry::kSize) return;
    if (at > 0 && !previous.before(entry)) {
      return problem(file, fmt::format("entry {} (offset {}, position {}) does not come after the one before",
                                       at / log::OffsetEntry::kSize, base + entry.relative_offset, entry.position));
    }
    previous = entry;
    auto batch = batch_at(segment->bytes(), entry.position);
    int64_t offset = base + entry.relative_offset;
    if (!batch) {
      return problem(file, fmt::format("offset {}: there is no batch at position {}", offset, entry.position));
    }
    if (batch->last_offset().value != offset) {
      problem(file, fmt::format("offset {}: the batch at position {} ends with {}", offset, entry.position,
                                batch->last_offset().value));
    }
  }
}

void LogCheck::time_index(const SegmentFile& file, int64_t base) {
  BytesView bytes = file.bytes();
  if (bytes.size() % log::TimeEntry::kSize != 0) {
    return problem(file, fmt::format("{} bytes are no whole number of entries", bytes.size()));
  }
  auto segment = log_beside(file.path());
  if (!segment) return problem(file, "there is no log beside it");
  // Both go up, so one walk through the log serves all entries.
  wire::BatchCursor cursor(segment->bytes());
  int64_t latest = kNoTimestamp, reached = base - 1;
  std::optional<log::TimeEntry> previous;
  for (size_t at = 0; at < bytes.size(); at += log::TimeEntry::kSize) {
    auto entry = log::TimeEntry::decode(bytes.data() + at);
    if (entry.timestamp == 0 && entry.relative_offset == 0) return;  // reserved space
    if (previous && !previous->before(entry)) {
      return problem(file, fmt::format("entry {} (time {}, offset {}) does not come after the one before",
                                       at / log::TimeEntry::kSize, entry.timestamp, base + entry.relative_offset));
    }
    previous = entry;
    int64_t offset = base + entry.relative_offset;
    while (reached < offset) {
      auto batch = cursor.next();
      if (!batch || !*batch) break;
      reached = (*batch)->header.last_offset().value;
      latest = std::max(latest, (*batch)->header.max_timestamp);
    }
    if (reached < offset) return problem(file, fmt::format("offset {} is beyond the log", offset));
    if (latest > entry.timestamp && reached == offset) {
      problem(file, fmt::format("time {}: a record up to offset {} is of {}", entry.timestamp, offset, latest));
    }
  }
}

}  // namespace barnabas::cli
