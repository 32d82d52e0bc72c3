#include "cli/record_format.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "cli/escapes.h"

namespace barnabas::cli {

namespace {

constexpr std::string_view kTokens = "sSRkKTtpoh";

int64_t length_of(const std::optional<std::string_view>& bytes) {
  return bytes ? static_cast<int64_t>(bytes->size()) : -1;
}

void append_number(std::string& out, int64_t number) {
  fmt::format_to(std::back_inserter(out), "{}", number);
}

}  // namespace

std::expected<RecordFormat, std::string> RecordFormat::parse(std::string_view text, std::string null_text) {
  RecordFormat format;
  format.null_text_ = std::move(null_text);
  std::string plain;
  while (!text.empty()) {
    if (text.front() == '\\') {
      size_t used = append_escape(plain, text);
      if (used == 0) return std::unexpected(fmt::format("'{}': want hexadecimal digits after \\x", text));
      text.remove_prefix(used);
      continue;
    }
    if (text.front() != '%') {
      plain += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 2) return std::unexpected("a token is missing after the last %; %% is a percent sign");
    char token = text[1];
    text.remove_prefix(2);
    if (token == '%') {
      plain += '%';
      continue;
    }
    if (!kTokens.contains(token)) {
      return std::unexpected(
          fmt::format("there is no %{}; there are %s %S %R %k %K %T %t %p %o %h and %%", std::string_view(&token, 1)));
    }
    if (!plain.empty()) format.pieces_.push_back({0, std::exchange(plain, {})});
    format.pieces_.push_back({token, {}});
  }
  if (!plain.empty()) format.pieces_.push_back({0, std::move(plain)});
  return format;
}

void RecordFormat::append(std::string& out, const client::ConsumerRecord& record) const {
  for (const Piece& piece : pieces_) {
    switch (piece.token) {
      case 0:
        out += piece.text;
        break;
      case 's':
        out += record.value.value_or(null_text_);
        break;
      case 'S':
        append_number(out, length_of(record.value));
        break;
      case 'R': {
        auto length = static_cast<uint32_t>(length_of(record.value));
        for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift & 0xff);
        break;
      }
      case 'k':
        out += record.key.value_or(null_text_);
        break;
      case 'K':
        append_number(out, length_of(record.key));
        break;
      case 'T':
        append_number(out, record.timestamp);
        break;
      case 't':
        out += record.topic;
        break;
      case 'p':
        append_number(out, record.partition);
        break;
      case 'o':
        append_number(out, record.offset);
        break;
      case 'h':
        append_headers(out, record.headers);
        break;
    }
  }
}

void append_headers(std::string& out, const client::Headers& headers) {
  if (headers.empty()) return;
  bool first = true;
  for (const client::Header& header : headers.all()) {
    if (!first) out += ',';
    first = false;
    out.append(header.key).append("=").append(header.value.value_or("NULL"));
  }
}

}  // namespace barnabas::cli
