// MessageFormatter: how kafka-console-consumer prints a record: Kafka's DefaultMessageFormatter,
// LoggingMessageFormatter and NoOpMessageFormatter with their properties. Writes to standard output.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "barnabas/types.h"

namespace barnabas::cli::shims {

class MessageFormatter {
 public:
  // Nothing for a class that is none of the built-in ones.
  static std::optional<MessageFormatter> make(std::string_view class_name,
                                              const std::map<std::string, std::string>& properties);
  void write(const client::ConsumerRecord& record) const;
  // What write() writes.
  std::string text(const client::ConsumerRecord& record) const;

 private:
  enum class Kind { kDefault, kNothing };
  enum class Decoding { kText, kShort, kInteger, kLong, kDouble, kFloat };
  static Decoding decoding_of(const std::map<std::string, std::string>& properties, const std::string& name);
  std::string decoded(std::optional<std::string_view> bytes, Decoding decoding) const;

  Kind kind_ = Kind::kDefault;
  bool timestamp_ = false, key_ = false, value_ = true, partition_ = false, offset_ = false, delivery_ = false,
       epoch_ = false, headers_ = false;
  std::string key_separator_ = "\t", line_separator_ = "\n", headers_separator_ = ",", null_ = "null";
  Decoding key_decoding_ = Decoding::kText, value_decoding_ = Decoding::kText, headers_decoding_ = Decoding::kText;
};

}  // namespace barnabas::cli::shims
