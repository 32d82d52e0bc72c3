// SplitReader: a file or pipe cut into pieces at a delimiter, one after the other, with memory for one piece at a time.
// Any bytes may be in it. The last piece needs no delimiter after it; an empty rest is no piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "cli/interrupt.h"

namespace barnabas::cli {

class SplitReader {
 public:
  // Reads `file` from where it stands, does not close it. An empty delimiter: all of it is one piece.
  SplitReader(int file, std::string delimiter, size_t longest, const Interrupt& interrupt);

  // The next piece, valid until the next call; nothing at the end, or when interrupted. The error is a phrase.
  std::expected<std::optional<std::string_view>, std::string> next();
  // Number of the piece that next() gave, from 1.
  uint64_t number() const { return number_; }

 private:
  enum class Read { kMore, kEnd, kInterrupted };
  std::expected<Read, std::string> read_more();

  int file_;
  std::string delimiter_;
  size_t longest_;
  const Interrupt& interrupt_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0;  // what was read and not handed out
  bool at_end_ = false;
  uint64_t number_ = 0;
};

}  // namespace barnabas::cli
