#include "cli/produce_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace barnabas::cli {

namespace {

constexpr size_t kLongest = size_t{256} << 20;  // of a record; brokers take far less
constexpr int kNumberBits = 44;                 // of a tag; the file is above

}  // namespace

std::expected<client::ProducerRecord, std::string> RecordMaker::make(std::string_view topic, std::string_view bytes) {
  client::ProducerRecord record{.topic = topic, .partition = format_.partition, .timestamp = format_.timestamp};
  headers_.clear();
  if (format_.kind == ProduceFormat::Kind::kJson) {
    auto parsed = parse_json_record(bytes);
    if (!parsed) return std::unexpected(parsed.error());
    json_ = *std::move(parsed);
    record.key = json_.key;
    record.value = json_.value;
    if (!record.partition && format_.own_partitions) record.partition = json_.partition;
    if (!record.timestamp) record.timestamp = json_.timestamp;
    for (const auto& [key, value] : json_.headers) headers_.push_back({key, value});
  } else {
    record.value = bytes;
    size_t cut = format_.key_delimiter.empty() ? std::string_view::npos : bytes.find(format_.key_delimiter);
    if (cut != std::string_view::npos) {
      record.key = bytes.substr(0, cut);
      record.value = bytes.substr(cut + format_.key_delimiter.size());
    }
  }
  if (!record.key && format_.key) record.key = *format_.key;
  if (format_.null_empty && record.value && record.value->empty()) record.value = std::nullopt;
  for (const auto& [key, value] : format_.headers) headers_.push_back({key, value});
  record.headers = headers_;
  return record;
}

ProduceInput::ProduceInput(const ProduceFormat& format, std::vector<std::string> files, const Interrupt& interrupt)
    : format_(format), files_(std::move(files)), interrupt_(interrupt) {
  if (files_.empty()) files_.emplace_back("-");
}

ProduceInput::~ProduceInput() {
  if (file_ > STDIN_FILENO) close(file_);
}

std::expected<std::optional<std::string_view>, std::string> ProduceInput::next() {
  while (current_ < files_.size() && !interrupt_.asked()) {
    const std::string& name = files_[current_];
    if (!reader_) {
      file_ = name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC);
      if (file_ < 0) return std::unexpected(fmt::format("{}: {}", name, std::strerror(errno)));
      bool whole = format_.kind == ProduceFormat::Kind::kFile;
      reader_ = std::make_unique<SplitReader>(file_, whole ? std::string() : format_.delimiter, kLongest, interrupt_);
    }
    auto piece = reader_->next();
    if (!piece) return std::unexpected(fmt::format("{}: {}", name == "-" ? "standard input" : name, piece.error()));
    bool blank = *piece && format_.kind == ProduceFormat::Kind::kJson &&
                 (*piece)->find_first_not_of(" \t\r") == std::string_view::npos;
    if (blank) continue;
    if (*piece || interrupt_.asked()) return *piece;
    if (file_ > STDIN_FILENO) close(file_);
    file_ = -1;
    reader_.reset();
    ++current_;
  }
  return std::nullopt;
}

uint64_t ProduceInput::tag() const {
  return uint64_t{current_} << kNumberBits | (reader_ ? reader_->number() : 0);
}

std::string ProduceInput::name_of(uint64_t tag) const {
  const std::string& file = files_[tag >> kNumberBits];
  if (format_.kind == ProduceFormat::Kind::kFile) return file == "-" ? "standard input" : "file " + file;
  uint64_t number = tag & ((uint64_t{1} << kNumberBits) - 1);
  std::string name = fmt::format("{} {}", format_.delimiter == "\n" ? "line" : "record", number);
  return files_.size() == 1 && file == "-" ? name
                                           : fmt::format("{} of {}", name, file == "-" ? "standard input" : file);
}

}  // namespace barnabas::cli
