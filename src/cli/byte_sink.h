// ByteSink: standard output for streams of records: buffered here, written in large pieces, and able to say that nobody
// reads any more, so that a command can end in order (commit, leave its group).
#pragma once

#include <string>
#include <string_view>

namespace barnabas::cli {

class ByteSink {
 public:
  // What is to be written is appended here; write it when it is large(), and before waiting.
  std::string& buffer() { return buffer_; }
  bool large() const { return buffer_.size() >= kLarge; }
  // False: the other end is closed, now or before; what was buffered is lost.
  bool flush();
  bool closed() const { return closed_; }
  // Why, when it is not that nobody reads any more: ENOSPC. 0 otherwise.
  int error() const { return error_; }

 private:
  static constexpr size_t kLarge = 64 * 1024;
  std::string buffer_;
  bool closed_ = false;
  int error_ = 0;
};

}  // namespace barnabas::cli
