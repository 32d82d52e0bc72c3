#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

namespace barnabas::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson json_of(const Value& value) {
  return std::visit(
      [](const auto& held) -> OrderedJson {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, Value::List>) {
          OrderedJson list = OrderedJson::array();
          for (const Value& item : held) list.push_back(json_of(item));
          return list;
        } else if constexpr (std::is_same_v<T, Value::Object>) {
          OrderedJson object = OrderedJson::object();
          for (const auto& [key, field] : held) object[key] = json_of(field);
          return object;
        } else {
          return held;
        }
      },
      value.data());
}

// Text as YAML has it: plain where that is safe, else in double quotes.
std::string yaml_text(const std::string& text) {
  bool plain = !text.empty() && text.find_first_of("\n\r\t\"\\:#{}[],&*!|>'%@`") == std::string::npos;
  if (plain) {
    static constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no", "on", "off", "~", "-"};
    std::string lower = text;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (std::string_view word : kWords) plain &= lower != word;
    char first = text.front();
    plain &= first != ' ' && text.back() != ' ' && first != '-' && first != '?' && first != '.' && first != '+';
    plain &= first < '0' || first > '9';
  }
  return plain ? text : OrderedJson(text).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

void write_yaml(std::string& out, const Value& value, int depth, bool in_list);

void write_yaml_object(std::string& out, const Value::Object& object, int depth, bool in_list) {
  bool first = true;
  for (const auto& [key, field] : object) {
    if (!(first && in_list)) out.append(static_cast<size_t>(depth) * 2, ' ');
    first = false;
    out += yaml_text(key) + ":";
    write_yaml(out, field, depth + 1, false);
  }
}

void write_yaml(std::string& out, const Value& value, int depth, bool in_list) {
  if (const auto* object = std::get_if<Value::Object>(&value.data()); object && !object->empty()) {
    if (!in_list && depth > 0) out += "\n";
    write_yaml_object(out, *object, depth, in_list);
    return;
  }
  if (const auto* list = std::get_if<Value::List>(&value.data()); list && !list->empty()) {
    if (depth > 0) out += "\n";
    for (const Value& item : *list) {
      out.append(static_cast<size_t>(depth) * 2, ' ');
      out += "- ";
      write_yaml(out, item, depth + 1, true);
    }
    return;
  }
  if (!in_list && depth > 0) out += " ";
  const auto* text = std::get_if<std::string>(&value.data());
  out += text ? yaml_text(*text) : value.to_json();
  out += "\n";
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string csv_cell(const Value& value) {
  const auto* list = std::get_if<Value::List>(&value.data());
  bool nothing = value.is_null() || (list && list->empty());
  return nothing ? "" : csv_cell(value.to_cell());
}

std::string field_name(const std::string& title) {
  std::string name;
  for (char c : title)
    name += c == ' ' || c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

// What a terminal must not be sent as it is: control characters of a name or a value, those of Latin 1 (U+0080 to
// U+009F, some of which begin commands too) as well.
std::string printable(const std::string& text) {
  std::string safe;
  auto escape = [&](unsigned char byte) {
    static constexpr char kHex[] = "0123456789abcdef";
    safe += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
  };
  for (size_t at = 0; at < text.size(); ++at) {
    auto byte = static_cast<unsigned char>(text[at]);
    auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0;
    if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      escape(byte);
      escape(static_cast<unsigned char>(next));
      ++at;
    } else if (byte >= 0x20 && byte != 0x7f) {
      safe += text[at];
    } else {
      escape(byte);
    }
  }
  return safe;
}

// Standard output took no more: the program ends, quietly when nobody reads any more (`| head`).
[[noreturn]] void output_ended() {
  if (errno == EPIPE) std::_Exit(0);
  std::fprintf(stderr, "barnabas: standard output cannot be written: %s.\n", std::strerror(errno));
  std::_Exit(1);
}

void write_stdout(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) output_ended();
}

}  // namespace

Value& Value::add(std::string key, Value value) {
  if (!std::holds_alternative<Object>(data_)) data_ = Object{};
  std::get<Object>(data_).emplace_back(std::move(key), std::move(value));
  return *this;
}

std::string Value::to_json(int indent) const {
  return json_of(*this).dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string Value::to_yaml() const {
  std::string out;
  write_yaml(out, *this, 0, false);
  return out;
}

std::string Value::to_cell() const {
  if (is_null()) return "-";
  if (const auto* text = std::get_if<std::string>(&data_)) return *text;
  if (const auto* list = std::get_if<List>(&data_)) {
    std::string joined;
    for (const Value& item : *list) joined += (joined.empty() ? "" : ",") + item.to_cell();
    return joined.empty() ? "-" : joined;
  }
  return to_json();
}

namespace {
std::string in_color_of_state(const Output& out, const std::string& state) {
  if (state == "ok") return out.green(state);
  if (state == "warning") return out.yellow(state);
  return state == "failed" ? out.red(state) : state;
}
}  // namespace

Output::Output(Format format, bool color) : format_(format), color_(color) {}

void Output::print(const Table& table) {
  if (format_ == Format::kName) {
    std::string before;
    bool first = true;
    for (const auto& row : table.rows) {  // a topic with several partitions is named once
      std::string name = row.at(table.name_column).to_cell();
      if (first || name != before) line(name);
      first = false;
      before = std::move(name);
    }
    return;
  }
  if (format_ == Format::kJson || format_ == Format::kYaml) {
    Value::List items;
    for (const auto& row : table.rows) {
      Value item{Value::Object{}};
      for (size_t i = 0; i < row.size(); ++i) item.add(field_name(table.columns[i].title), row[i]);
      items.push_back(std::move(item));
    }
    Value document;
    document.add("_v", 1).add(table.kind, std::move(items));
    raw(format_ == Format::kJson ? document.to_json(2) + "\n" : document.to_yaml());
    return;
  }
  std::vector<size_t> shown;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].wide || format_ != Format::kTable) shown.push_back(i);
  }
  if (format_ == Format::kCsv) {
    std::string text;
    for (size_t i : shown) text += (i == shown.front() ? "" : ",") + field_name(table.columns[i].title);
    text += "\n";
    for (const auto& row : table.rows) {
      for (size_t i : shown) text += (i == shown.front() ? "" : ",") + csv_cell(row[i]);
      text += "\n";
    }
    return raw(text);
  }
  std::vector<std::vector<std::string>> cells;
  std::vector<size_t> widths;
  for (size_t i : shown) widths.push_back(display_width(table.columns[i].title));
  for (const auto& row : table.rows) {
    auto& line_cells = cells.emplace_back();
    for (size_t at = 0; at < shown.size(); ++at) {
      line_cells.push_back(printable(row[shown[at]].to_cell()));
      widths[at] = std::max(widths[at], display_width(line_cells.back()));
    }
  }
  auto put = [&](const std::vector<std::string>& line_cells, bool head) {
    std::string text;
    for (size_t at = 0; at < shown.size(); ++at) {
      size_t pad = widths[at] - display_width(line_cells[at]);
      bool right = table.columns[shown[at]].right;
      bool last = at + 1 == shown.size();
      if (right) text.append(pad, ' ');
      const std::string& cell = line_cells[at];
      bool state = table.columns[shown[at]].state;
      text += head ? bold(cell) : state ? in_color_of_state(*this, cell) : cell;
      if (!right && !last) text.append(pad, ' ');
      if (!last) text += "  ";
    }
    line(text);
  };
  std::vector<std::string> titles;
  for (size_t i : shown) titles.push_back(table.columns[i].title);
  put(titles, true);
  for (const auto& line_cells : cells) put(line_cells, false);
}

void Output::print(const std::string& kind, const Value& object, std::string_view name) {
  if (format_ == Format::kName) return line(name);
  Value document;
  document.add("_v", 1).add(kind, object);
  if (format_ == Format::kJson) return raw(document.to_json(2) + "\n");
  if (format_ == Format::kYaml) return raw(document.to_yaml());
  const auto* fields = std::get_if<Value::Object>(&object.data());
  if (fields == nullptr) return line(printable(object.to_cell()));
  if (format_ == Format::kCsv) {
    line("key,value");
    for (const auto& [key, field] : *fields) line(csv_cell(key) + "," + csv_cell(field));
    return;
  }
  size_t width = 0;
  for (const auto& [key, field] : *fields) width = std::max(width, display_width(key));
  for (const auto& [key, field] : *fields) {
    line(bold(key) + std::string(width - display_width(key) + 2, ' ') + printable(field.to_cell()));
  }
}

void Output::done(const std::string& sentence, const Value& result, std::string_view name) {
  if (format_ == Format::kName) return line(name);
  if (!for_programs()) return line(printable(sentence));
  results_.push_back(result);
}

void Output::finish() {
  if (format_ == Format::kCsv && !results_.empty()) {
    Table table{.kind = "results", .columns = {}, .rows = {}};
    for (const Value& result : results_) {
      auto& row = table.rows.emplace_back();
      const auto* fields = std::get_if<Value::Object>(&result.data());
      if (fields == nullptr) continue;
      for (const auto& [key, field] : *fields) {
        if (table.rows.size() == 1) table.columns.push_back({.title = key});
        row.push_back(field);
      }
    }
    for (auto& row : table.rows) row.resize(table.columns.size());
    print(table);
  } else if (!results_.empty()) {
    Value document;
    document.add("_v", 1).add("results", std::exchange(results_, {}));
    raw(format_ == Format::kJson ? document.to_json(2) + "\n" : document.to_yaml());
  }
  results_.clear();
  flush();
}

void Output::line(std::string_view text) {
  write_stdout(text);
  write_stdout("\n");
}

void Output::raw(std::string_view bytes) {
  write_stdout(bytes);
}

void Output::flush() {
  if (std::fflush(stdout) != 0) output_ended();
}

void Output::note(std::string_view sentence) {
  std::fflush(stdout);
  std::fwrite(sentence.data(), 1, sentence.size(), stderr);
  std::fputc('\n', stderr);
}

namespace {
std::string painted(bool color, const char* code, std::string_view text) {
  if (!color) return std::string(text);
  return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}
}  // namespace

std::string Output::bold(std::string_view text) const {
  return painted(color_, "1", text);
}
std::string Output::red(std::string_view text) const {
  return painted(color_, "31", text);
}
std::string Output::green(std::string_view text) const {
  return painted(color_, "32", text);
}
std::string Output::yellow(std::string_view text) const {
  return painted(color_, "33", text);
}
std::string Output::dim(std::string_view text) const {
  return painted(color_, "2", text);
}

size_t display_width(std::string_view text) {
  // ASCII has no need of the locale, which costs a tenth of a short command to load.
  auto plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (std::ranges::all_of(text, plain)) return text.size();
  static const bool kLoaded = std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
  (void)kLoaded;
  size_t width = 0;
  mbstate_t state{};
  while (!text.empty()) {
    wchar_t wide = 0;
    size_t used = mbrtowc(&wide, text.data(), text.size(), &state);
    if (used == 0 || used > text.size()) {  // not of this locale: a column a byte
      state = {};
      used = 1;
      ++width;
    } else {
      int columns = wcwidth(wide);
      width += columns > 0 ? static_cast<size_t>(columns) : 0;
    }
    text.remove_prefix(used);
  }
  return width;
}

bool stdout_is_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}
bool stderr_is_terminal() {
  return isatty(STDERR_FILENO) == 1;
}

std::pair<int, int> terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return {size.ws_col, size.ws_row};
  return {80, 24};
}

}  // namespace barnabas::cli
