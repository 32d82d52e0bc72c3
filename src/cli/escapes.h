// Escapes in what a person writes on the command line for a byte: \n \r \t \\, \xNN and \NNN (decimal), as kcat has
// them. An escaped character without a meaning stands for itself.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace barnabas::cli {

// `text` begins with a backslash: appends what it stands for and returns how many characters were used. 0: \x without
// digits.
size_t append_escape(std::string& out, std::string_view text);
// All escapes of `text` replaced. The error says what would be right.
std::expected<std::string, std::string> unescape(std::string_view text);

}  // namespace barnabas::cli
