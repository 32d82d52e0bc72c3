// LogCheck: looks over the files of partitions and says what is wrong: batches (checksums, offsets, records), offset
// and time indexes against the batches they point at, transaction indexes, producer snapshots. Reads only, believes
// nothing, takes no locks; what a node is writing just now may look cut short.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "cli/segment_file.h"

namespace barnabas::cli {

class LogCheck {
 public:
  struct Problem {
    std::filesystem::path file;
    std::string what;
  };

  // A file, a partition's directory, or a log directory with all its partitions.
  void add(const std::filesystem::path& path);
  // Checks the next file; false when there is none left.
  bool step();

  const std::vector<Problem>& problems() const { return problems_; }
  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t done_bytes() const { return done_bytes_; }
  uint64_t segments() const { return segments_; }
  uint64_t batches() const { return batches_; }
  uint64_t records() const { return records_; }

 private:
  void log(const SegmentFile& file, int64_t base);
  void offset_index(const SegmentFile& file, int64_t base);
  void time_index(const SegmentFile& file, int64_t base);
  void problem(const SegmentFile& file, std::string what) { problems_.push_back({file.path(), std::move(what)}); }

  std::vector<std::filesystem::path> files_;
  size_t next_ = 0;
  std::vector<Problem> problems_;
  uint64_t total_bytes_ = 0, done_bytes_ = 0, segments_ = 0, batches_ = 0, records_ = 0;
};

}  // namespace barnabas::cli
