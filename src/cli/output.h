// Output: what a command has to say, in the form that -o asks for. Data goes to standard output, notes to standard
// error. A command fills a Table (a list of like things) or a Value (one thing, any shape) and prints it once; a stream
// of records prints one Value after the other. A closed pipe (`| head`) ends the program quietly.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace barnabas::cli {

enum class Format { kTable, kWide, kJson, kYaml, kCsv, kName };

// A value as JSON has it: null, bool, number, text, list, object (in the order its fields were added).
class Value {
 public:
  using List = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : data_(value) {}
  Value(int value) : data_(int64_t{value}) {}
  Value(int64_t value) : data_(value) {}
  Value(uint64_t value) : data_(static_cast<int64_t>(value)) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(List value) : data_(std::move(value)) {}
  Value(Object value) : data_(std::move(value)) {}
  template <class T>
  Value(const std::optional<T>& value) {
    if (value) *this = Value(*value);
  }

  // Null for what is empty: "" of Kafka's answers often means that there is none.
  static Value or_null(std::string text) { return text.empty() ? Value() : Value(std::move(text)); }

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  const auto& data() const { return data_; }
  // Of an object: adds a field. Returns *this.
  Value& add(std::string key, Value value);

  std::string to_json(int indent = -1) const;  // -1: one line
  std::string to_yaml() const;
  std::string to_cell() const;  // as a table shows it: lists joined by commas, null as "-"

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, List, Object> data_;
};

struct Column {
  std::string title;   // "PARTITIONS"; its JSON field is the same in lower case with _ for blanks and dashes
  bool right = false;  // numbers
  bool wide = false;   // only with -o wide (always in json, yaml and csv)
  bool state = false;  // "ok" is green, "warning" yellow, "failed" red, when colours are on
};

struct Table {
  std::string kind;  // JSON envelope: {"_v":1,"<kind>":[…]}: "topics"
  std::vector<Column> columns;
  std::vector<std::vector<Value>> rows;
  size_t name_column = 0;  // what -o name prints
};

class Output {
 public:
  Output(Format format, bool color);

  Format format() const { return format_; }
  // json, yaml or csv: for programs; nothing else may be on standard output.
  bool for_programs() const { return format_ == Format::kJson || format_ == Format::kYaml || format_ == Format::kCsv; }

  void print(const Table& table);
  // One thing: as key/value lines in a table format. `name` is what -o name prints.
  void print(const std::string& kind, const Value& object, std::string_view name = {});
  // One of the things that were done: "Created topic orders.", with name only `name`. For programs the results are
  // kept, and finish() prints them as one document: {"_v":1,"results":[…]}.
  void done(const std::string& sentence, const Value& result, std::string_view name);
  // After the command: prints what done() kept, and flushes.
  void finish();
  // A line of a stream, as it is, to standard output.
  void line(std::string_view text);
  // Bytes as they are.
  void raw(std::string_view bytes);
  void flush();
  // A sentence for a person, on standard error.
  void note(std::string_view sentence);

  bool color() const { return color_; }
  // `text` in a colour, when colours are on.
  std::string bold(std::string_view text) const;
  std::string red(std::string_view text) const;
  std::string green(std::string_view text) const;
  std::string yellow(std::string_view text) const;
  std::string dim(std::string_view text) const;

 private:
  Format format_;
  bool color_;
  Value::List results_;
};

// Columns needed by `text` on a terminal (wide and combining characters counted right).
size_t display_width(std::string_view text);
bool stdout_is_terminal();
bool stderr_is_terminal();
// Columns and lines of the terminal; 80x24 when there is none.
std::pair<int, int> terminal_size();

}  // namespace barnabas::cli
