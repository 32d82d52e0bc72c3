// RecordPrinter: how `consume` prints records: the value alone, with what --print-… adds before it, by a format string,
// or as -o says. A stream: one record after the other, each line whole.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "barnabas/types.h"
#include "cli/invocation.h"
#include "cli/record_format.h"

namespace barnabas::cli {

class RecordPrinter {
 public:
  virtual ~RecordPrinter() = default;
  // What comes before the first record.
  virtual void begin(std::string&) {}
  virtual void append(std::string& out, const client::ConsumerRecord& record) = 0;
};

// As the flags of `call` say: format, output, print-key, print-headers, print-timestamp, print-partition, delimiter,
// null, null-text. The error is of usage.
std::expected<std::unique_ptr<RecordPrinter>, std::string> make_record_printer(Invocation& call);

// ms since 1970 as "2026-11-01T12:00:00.000Z"; "-" for none.
std::string time_text(int64_t ms);

}  // namespace barnabas::cli
