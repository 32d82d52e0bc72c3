// FieldPrinter: writes a message as one line for a log: CreateTopicsRequest{topics=[{name=orders, ...}], ...}. Bytes
// and records show as their size only, so no secret in them gets into a log; a very long line is cut.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/payload.h"
#include "base/uuid.h"
#include "wire/kafka_error.h"

namespace barnabas::wire {

class FieldPrinter {
 public:
  explicit FieldPrinter(std::string_view message) : text_(message) {}

  void open(char bracket);
  void close(char bracket);
  void name(std::string_view name);
  // Before each element of an array; false when the line is long enough.
  bool element();
  void null() { put("null"); }

  template <std::integral T>
  void value(T number) {
    integer(static_cast<int64_t>(number));
  }
  void value(bool flag) { put(flag ? "true" : "false"); }
  void value(double number);
  void value(std::string_view text) { put(text); }
  void value(const std::string& text) { put(text); }
  void value(const Uuid& id) { put(id.to_string()); }
  void value(KafkaError error);
  void value(const Buffer& bytes) { sized(bytes.size()); }
  void value(BytesView bytes) { sized(bytes.size()); }
  void value(const Payload& payload) { sized(payload.size()); }
  template <class T>
  void value(const std::optional<T>& maybe) {
    if (maybe)
      value(*maybe);
    else
      null();
  }
  template <class T>
  void value(const std::vector<T>& list) {
    open('[');
    for (const T& one : list) {
      if (!element()) break;
      value(one);
    }
    close(']');
  }

  std::string take() { return std::move(text_); }

 private:
  void put(std::string_view text);
  void integer(int64_t number);
  void sized(uint64_t bytes);

  std::string text_;
  bool first_ = true;  // nothing yet since the last opening bracket
};

}  // namespace barnabas::wire
