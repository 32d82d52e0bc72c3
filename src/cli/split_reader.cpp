#include "cli/split_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace barnabas::cli {

namespace {
constexpr size_t kChunk = 256 * 1024;
}  // namespace

SplitReader::SplitReader(int file, std::string delimiter, size_t longest, const Interrupt& interrupt)
    : file_(file), delimiter_(std::move(delimiter)), longest_(longest), interrupt_(interrupt) {
  buffer_.resize(kChunk);
}

std::expected<SplitReader::Read, std::string> SplitReader::read_more() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(std::min(buffer_.size() * 2, longest_ + delimiter_.size() + kChunk));
  while (true) {
    if (!interrupt_.wait_readable(file_)) return Read::kInterrupted;
    ssize_t count = read(file_, buffer_.data() + end_, buffer_.size() - end_);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return std::unexpected(std::string(std::strerror(errno)));
    if (count == 0) return Read::kEnd;
    end_ += static_cast<size_t>(count);
    return Read::kMore;
  }
}

std::expected<std::optional<std::string_view>, std::string> SplitReader::next() {
  size_t searched = 0;
  while (true) {
    std::string_view held(buffer_.data() + begin_, end_ - begin_);
    size_t cut = delimiter_.empty() ? std::string_view::npos : held.find(delimiter_, searched);
    size_t length = cut == std::string_view::npos ? held.size() : cut;
    if (length > longest_) {
      return std::unexpected(fmt::format("record {} is longer than {} bytes", number_ + 1, longest_));
    }
    if (cut != std::string_view::npos) {
      begin_ += cut + delimiter_.size();
      ++number_;
      return held.substr(0, cut);
    }
    if (at_end_) {
      bool whole = delimiter_.empty() && number_ == 0;  // an empty file is a record too
      if (held.empty() && !whole) return std::nullopt;
      begin_ = end_;
      ++number_;
      return held;
    }
    searched = held.size() >= delimiter_.size() ? held.size() - delimiter_.size() + !delimiter_.empty() : 0;
    auto more = read_more();
    if (!more) return std::unexpected(more.error());
    if (*more == Read::kInterrupted) return std::nullopt;
    at_end_ = *more == Read::kEnd;
  }
}

}  // namespace barnabas::cli
