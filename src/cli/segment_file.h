// SegmentFile: a file of a log directory, mapped into memory to be read only, without the locks a running node holds:
// what `log`, `metadata` and kafka-dump-log look at. A file that shrinks while it is looked at ends the program; that
// is what looking at a log that is being deleted means.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace barnabas::cli {

class SegmentFile {
 public:
  static Result<SegmentFile> open(const std::filesystem::path& path);
  SegmentFile(SegmentFile&& other) noexcept;
  SegmentFile& operator=(SegmentFile&& other) noexcept;
  ~SegmentFile();

  BytesView bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  SegmentFile() = default;

  std::filesystem::path path_;
  void* data_ = nullptr;
  size_t size_ = 0;
};

// What is in a log, by what its topic is: decides how records are shown.
enum class Decoder { kNone, kMetadata, kGroups, kTransactions, kShares };
// Of a partition's directory: "__cluster_metadata-0".
Decoder decoder_for(const std::filesystem::path& file);

// Records of our own topics as Kafka's JSON. `offset` is for the words about records that cannot be read.
struct DecodedRecord {
  std::optional<std::string> key, value;
};
DecodedRecord decode_record(Decoder decoder, std::optional<BytesView> key, std::optional<BytesView> value,
                            int64_t offset);

// What a control record says: "endTxnMarker: COMMIT coordinatorEpoch: 0", "SnapshotHeader {…}".
std::string describe_control_record(std::optional<BytesView> key, std::optional<BytesView> value);

}  // namespace barnabas::cli
