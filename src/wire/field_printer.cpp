#include "wire/field_printer.h"

#include <fmt/format.h>

namespace barnabas::wire {
namespace {
constexpr size_t kLineMax = 4096;
}

void FieldPrinter::open(char bracket) {
  text_.push_back(bracket);
  first_ = true;
}

void FieldPrinter::close(char bracket) {
  text_.push_back(bracket);
  first_ = false;
}

bool FieldPrinter::element() {
  if (!first_) text_ += ", ";
  first_ = false;
  if (text_.size() < kLineMax) return true;
  text_ += "...";
  return false;
}

void FieldPrinter::name(std::string_view name) {
  if (!first_) text_ += ", ";
  first_ = false;
  text_ += name;
  text_.push_back('=');
}

void FieldPrinter::value(double number) {
  put(fmt::format("{}", number));
}

void FieldPrinter::value(KafkaError error) {
  put(kafka_error_name(error));
}

void FieldPrinter::put(std::string_view text) {
  text_ += text.substr(0, kLineMax);
}

void FieldPrinter::integer(int64_t number) {
  put(fmt::format_int(number).c_str());
}

void FieldPrinter::sized(uint64_t bytes) {
  put(fmt::format("<{} bytes>", bytes));
}

}  // namespace barnabas::wire
