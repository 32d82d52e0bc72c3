// Where: the small language of `consume --where`, a pure function of a record.
//
//   value.price > 10 && headers.trace =~ "^a" || !(key == null)
//
// Fields are topic, partition, offset, timestamp, key, value and headers.name; key and value go deeper where they are
// JSON: value.items[0].id, value["odd name"]. What is not there is null. Literals are texts in either quotes, numbers,
// true, false, null, and times (@2026-11-01T12:00:00Z, @-1h) as milliseconds. Comparisons are == != < <= > >= and, with
// a regular expression of RE2's syntax, =~ and !~; they join by &&, || and !. A field alone is true unless it is null
// or false. Keys, values and headers as a whole are bytes: compared with a number they count as the number they spell.
// Values of different types are unequal and not in any order.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "barnabas/types.h"

namespace barnabas::cli {

class Where {
 public:
  // `now_ms` is what @-1h counts from. The error names the column and what would be right.
  static std::expected<Where, std::string> parse(std::string_view text, int64_t now_ms);

  bool matches(const client::ConsumerRecord& record) const;

  struct Program;  // the parsed expression

 private:
  explicit Where(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace barnabas::cli
