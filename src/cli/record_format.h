// RecordFormat: how `consume -f` prints a record: kcat's tokens, byte for byte. %s value, %k key, %S and %K their
// lengths (-1 for null), %R the value's length as 4 bytes, %t topic, %p partition, %o offset, %T timestamp, %h headers
// as a=1,b=2, %% a percent sign, and the escapes of escapes.h. Nothing is printed that the format does not say.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/types.h"

namespace barnabas::cli {

class RecordFormat {
 public:
  // `null_text` stands for a key or value that is null. The error says what would be right.
  static std::expected<RecordFormat, std::string> parse(std::string_view text, std::string null_text = {});

  void append(std::string& out, const client::ConsumerRecord& record) const;

 private:
  struct Piece {
    char token = 0;    // 0: text
    std::string text;  // as it is
  };
  std::vector<Piece> pieces_;
  std::string null_text_;
};

// "a=1,b=NULL": headers in one line, as kcat has them.
void append_headers(std::string& out, const client::Headers& headers);

}  // namespace barnabas::cli
