// Values: a Config read against the key tables of one kind of client: every name known, every value checked and in
// canonical form, defaults filled in. Rules across keys are settings.cpp's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/config.h"

namespace barnabas::client {

Error config_error(std::string message);

class Values {
 public:
  // kConfig for a name that no kind of client has and for a wrong value. What only other kinds have is left aside.
  static Result<Values> read(const Config& config, ClientKind kind);

  // Whether the Config says it, as opposed to a default.
  bool has(std::string_view name) const { return given_.contains(name); }

  // By name of a key of this kind. For keys that may be null: absent.
  std::optional<std::string> find(std::string_view name) const;
  // "" for null.
  std::string text(std::string_view name) const { return find(name).value_or(""); }
  int64_t number(std::string_view name) const;
  int32_t number32(std::string_view name) const { return static_cast<int32_t>(number(name)); }
  bool boolean(std::string_view name) const { return text(name) == "true"; }
  std::vector<std::string> list(std::string_view name) const;

 private:
  ClientKind kind_ = ClientKind::kAdmin;
  std::map<std::string, std::string, std::less<>> given_;  // canonical
};

// Why a name that no client of Kafka has is wrong: "unknown configuration key 'linger.mss': did you mean 'linger.ms'?"
Error unknown_key(std::string_view name);

}  // namespace barnabas::client
