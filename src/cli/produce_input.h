// ProduceInput: what `produce` is given, as records: lines, NUL-separated pieces, JSON or whole files, from standard
// input or the files named, one after the other, with memory for one record at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/types.h"
#include "cli/interrupt.h"
#include "cli/record_json.h"
#include "cli/split_reader.h"

namespace barnabas::cli {

struct ProduceFormat {
  enum class Kind { kLines, kJson, kFile };
  Kind kind = Kind::kLines;
  std::string delimiter = "\n";
  std::string key_delimiter{};       // empty: no keys in the input
  std::optional<std::string> key{};  // of records without one
  std::vector<std::pair<std::string, std::string>> headers{};
  std::optional<int32_t> partition{};
  std::optional<int64_t> timestamp{};
  bool null_empty = false;     // empty values are null
  bool own_partitions = true;  // of JSON records: take them
};

// A record of `bytes` as `format` says. Its views are of `bytes`, `format`, and what this object holds until the next.
class RecordMaker {
 public:
  explicit RecordMaker(const ProduceFormat& format) : format_(format) {}
  std::expected<client::ProducerRecord, std::string> make(std::string_view topic, std::string_view bytes);

 private:
  const ProduceFormat& format_;
  JsonRecord json_;
  std::vector<client::Header> headers_;
};

class ProduceInput {
 public:
  // No files: standard input. "-" is standard input too.
  ProduceInput(const ProduceFormat& format, std::vector<std::string> files, const Interrupt& interrupt);
  ~ProduceInput();
  ProduceInput(const ProduceInput&) = delete;
  ProduceInput& operator=(const ProduceInput&) = delete;

  // The bytes of the next record; nothing at the end. An error is a sentence that names the file, and the end.
  std::expected<std::optional<std::string_view>, std::string> next();
  // Of the record that next() gave, for name_of().
  uint64_t tag() const;
  // "line 3", "line 3 of orders.txt", "file a.bin".
  std::string name_of(uint64_t tag) const;

 private:
  const ProduceFormat& format_;
  std::vector<std::string> files_;
  const Interrupt& interrupt_;
  size_t current_ = 0;  // in files_
  int file_ = -1;
  std::unique_ptr<SplitReader> reader_;
};

}  // namespace barnabas::cli
