// The lines of Kafka's checkpoint files (leader-epoch-checkpoint, *-offset-checkpoint): version 0, the number of
// entries, one entry a line. Strict: a garbled file is an error, never an empty one.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "base/result.h"

namespace barnabas::replication {

class CheckpointLines {
 public:
  explicit CheckpointLines(std::string_view text) : rest_(text) {}

  // The two lines at the top.
  Result<size_t> read_header() {
    std::string_view line;
    size_t count = 0;
    if (!next(line) || line != "0") return bad("the first line is not the version 0", line);
    if (!next(line) || !parse_number(line, count)) return bad("the second line is not a count", line);
    return count;
  }

  // The next line; false at the end.
  bool next(std::string_view& line) {
    line = {};
    if (rest_.empty()) return false;
    size_t end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return true;
  }

  template <class T>
  static bool parse_number(std::string_view text, T& value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  }

  static std::unexpected<Error> bad(std::string_view what, std::string_view line) {
    return fail(ErrorCode::kCorrupt, std::string(what) + ": \"" + std::string(line.substr(0, 80)) + "\"");
  }

 private:
  std::string_view rest_;
};

}  // namespace barnabas::replication
