#include "cli/record_printer.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

#include "cli/escapes.h"
#include "cli/record_json.h"
#include "security/base64.h"
#include "security/prepared_text.h"

namespace barnabas::cli {

namespace {

using client::ConsumerRecord;
using Bytes = std::optional<std::string_view>;

// Control characters would move a terminal's cursor, or worse.
void append_visible(std::string& out, std::string_view text, bool breaks) {
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool harmless = (byte >= 0x20 && byte != 0x7f) || (breaks && (c == '\n' || c == '\t'));
    if (harmless) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
  }
}

class FormatPrinter : public RecordPrinter {
 public:
  explicit FormatPrinter(RecordFormat format) : format_(std::move(format)) {}
  void append(std::string& out, const ConsumerRecord& record) override { format_.append(out, record); }

 private:
  RecordFormat format_;
};

struct PlainOptions {
  bool timestamp = false, partition = false, headers = false, key = false;
  std::string separator = "\t", delimiter = "\n", null_text;
};

// timestamp, partition, offset, headers, key, value: what was asked for, in this order.
class PlainPrinter : public RecordPrinter {
 public:
  explicit PlainPrinter(PlainOptions options) : options_(std::move(options)), terminal_(stdout_is_terminal()) {}
  void append(std::string& out, const ConsumerRecord& record) override {
    if (options_.timestamp) out.append(time_text(record.timestamp)).append(options_.separator);
    if (options_.partition) {
      fmt::format_to(std::back_inserter(out), "{}{}{}{}", record.partition, options_.separator, record.offset,
                     options_.separator);
    }
    if (options_.headers) {
      std::string headers;
      append_headers(headers, record.headers);
      put(out, headers);
      out += options_.separator;
    }
    if (options_.key) {
      put(out, record.key.value_or(options_.null_text));
      out += options_.separator;
    }
    put(out, record.value.value_or(options_.null_text));
    out += options_.delimiter;
  }

 private:
  void put(std::string& out, std::string_view bytes) const {
    if (terminal_) return append_visible(out, bytes, true);
    out += bytes;
  }
  PlainOptions options_;
  bool terminal_;
};

class JsonPrinter : public RecordPrinter {
 public:
  void append(std::string& out, const ConsumerRecord& record) override {
    append_json_record(out, record);
    out += '\n';
  }
};

class YamlPrinter : public RecordPrinter {
 public:
  void append(std::string& out, const ConsumerRecord& record) override {
    Value value;
    value.add("_v", 1).add("topic", record.topic).add("partition", record.partition).add("offset", record.offset);
    value.add("timestamp", int64_t{record.timestamp});
    put(value, "key", record.key);
    put(value, "value", record.value);
    Value::List headers;
    for (const client::Header& header : record.headers.all()) {
      Value item;
      put(item, "key", header.key);
      put(item, "value", header.value);
      headers.push_back(std::move(item));
    }
    if (!headers.empty()) value.add("headers", std::move(headers));
    out.append("---\n").append(value.to_yaml());
  }

 private:
  static void put(Value& value, const std::string& name, const Bytes& bytes) {
    if (!bytes || security::is_utf8(*bytes)) {
      value.add(name, bytes ? Value(*bytes) : Value());
    } else {
      value.add(name, security::to_base64(as_bytes(*bytes))).add(name + "_encoding", "base64");
    }
  }
};

class CsvPrinter : public RecordPrinter {
 public:
  void begin(std::string& out) override { out += "topic,partition,offset,timestamp,key,value,headers\n"; }
  void append(std::string& out, const ConsumerRecord& record) override {
    cell(out, record.topic);
    fmt::format_to(std::back_inserter(out), ",{},{},{},", record.partition, record.offset, record.timestamp);
    cell(out, record.key);
    out += ',';
    cell(out, record.value);
    out += ',';
    std::string headers;
    append_headers(headers, record.headers);
    cell(out, headers.empty() ? Bytes() : Bytes(headers));
    out += '\n';
  }

 private:
  // Null is nothing, an empty text "".
  static void cell(std::string& out, const Bytes& bytes) {
    if (!bytes) return;
    if (!bytes->empty() && bytes->find_first_of(",\"\n\r") == std::string_view::npos) {
      out += *bytes;
      return;
    }
    out += '"';
    for (char c : *bytes) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
};

class NamePrinter : public RecordPrinter {
 public:
  void append(std::string& out, const ConsumerRecord& record) override {
    fmt::format_to(std::back_inserter(out), "{}-{}@{}\n", record.topic, record.partition, record.offset);
  }
};

// A stream has no widths to know beforehand: columns are as wide as is usual, and a longer cell moves the rest.
class TablePrinter : public RecordPrinter {
 public:
  TablePrinter(Output& out, bool wide) : out_(out), wide_(wide) {}
  void begin(std::string& out) override {
    out += out_.bold(fmt::format("{:<16}{:>9}  {:>10}  {:<24}  {}{:<16}  VALUE", "TOPIC", "PARTITION", "OFFSET",
                                 "TIMESTAMP", wide_ ? fmt::format("{:<24}  ", "HEADERS") : "", "KEY")) +
           "\n";
  }
  void append(std::string& out, const ConsumerRecord& record) override {
    column(out, record.topic, 16);
    fmt::format_to(std::back_inserter(out), "{:>9}  {:>10}  {:<24}  ", record.partition, record.offset,
                   time_text(record.timestamp));
    if (wide_) {
      std::string headers;
      append_headers(headers, record.headers);
      column(out, headers.empty() ? "-" : std::string_view(headers), 24);
      out += "  ";
    }
    column(out, record.key.value_or("-"), 16);
    out += "  ";
    std::string value;
    append_visible(value, record.value.value_or("-"), false);
    out.append(value).append("\n");
  }

 private:
  static void column(std::string& out, std::string_view text, size_t width) {
    std::string cell;
    append_visible(cell, text, false);
    size_t used = display_width(cell);
    out += cell;
    if (used < width) out.append(width - used, ' ');
  }
  Output& out_;
  bool wide_;
};

}  // namespace

std::string time_text(int64_t ms) {
  if (ms < 0) return "-";
  std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(ms)};
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::expected<std::unique_ptr<RecordPrinter>, std::string> make_record_printer(Invocation& call) {
  PlainOptions options{.timestamp = call.has("print-timestamp"),
                       .partition = call.has("print-partition"),
                       .headers = call.has("print-headers"),
                       .key = call.has("print-key"),
                       .null_text = call.value("null-text")};
  if (auto format = call.optional("format")) {
    if (call.has("output")) return std::unexpected("--format and --output both say how to print; give one");
    auto parsed = RecordFormat::parse(*format, options.null_text);
    if (!parsed) return std::unexpected("--format: " + parsed.error());
    return std::make_unique<FormatPrinter>(*std::move(parsed));
  }
  if (call.has("output")) {
    switch (call.out().format()) {
      case Format::kJson:
        return std::make_unique<JsonPrinter>();
      case Format::kYaml:
        return std::make_unique<YamlPrinter>();
      case Format::kCsv:
        return std::make_unique<CsvPrinter>();
      case Format::kName:
        return std::make_unique<NamePrinter>();
      default:
        return std::make_unique<TablePrinter>(call.out(), call.out().format() == Format::kWide);
    }
  }
  for (auto [flag, target] : {std::pair("delimiter", &options.delimiter), std::pair("separator", &options.separator)}) {
    if (!call.has(flag)) continue;
    auto bytes = unescape(call.value(flag));
    if (!bytes) return std::unexpected(fmt::format("--{}: {}", flag, bytes.error()));
    *target = *bytes;
  }
  if (call.has("null")) options.delimiter = std::string(1, '\0');
  return std::make_unique<PlainPrinter>(std::move(options));
}

}  // namespace barnabas::cli
