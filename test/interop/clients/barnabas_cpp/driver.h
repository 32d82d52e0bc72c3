// The driver around Barnabas' C++ client. Commands and events: rig/driver.py.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "barnabas/config.h"

namespace driver {

using Json = nlohmann::json;

// Prints one event as a line. Any thread.
void emit(std::string_view name, Json value);
// Thrown by commands; ends up as {"error": "why"}.
struct Failed {
  std::string why;
};
[[noreturn]] inline void fail(std::string why) {
  throw Failed{std::move(why)};
}
template <class T>
T need(barnabas::client::Result<T> result) {
  if (!result) fail(result.error().to_string());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

inline std::optional<std::string> text(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<std::string>();
}
inline Json json(std::optional<std::string_view> value) {
  return value ? Json(std::string(*value)) : Json();
}

// produce.cpp
void create(const Json& command);
void produce(const Json& command);
// consume.cpp
void consume(const Json& command);
void member(const Json& command);

}  // namespace driver
