// Registrations: what brokers and controllers told the active controller about themselves, as plain values of an image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"

namespace barnabas::metadata {

struct Endpoint {
  std::string name;  // listener name
  std::string host;
  uint16_t port = 0;
  int16_t security_protocol = 0;  // 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL

  bool operator==(const Endpoint&) const = default;
};

// The levels of one feature a node can run with.
struct FeatureSupport {
  std::string name;
  int16_t min = 0;
  int16_t max = 0;

  bool operator==(const FeatureSupport&) const = default;
};

struct Broker {
  BrokerId id;
  BrokerEpoch epoch;  // the offset of its registration record
  Uuid incarnation;
  std::vector<Endpoint> endpoints;
  std::vector<FeatureSupport> features;
  std::optional<std::string> rack;
  bool fenced = true;
  bool in_controlled_shutdown = false;
  bool migrating_from_zookeeper = false;
  std::vector<Uuid> log_dirs;
  // Absent until the broker said anything about it.
  std::optional<std::vector<Uuid>> cordoned_log_dirs;

  // Serves clients: neither fenced nor on its way out.
  bool active() const { return !fenced && !in_controlled_shutdown; }
  const Endpoint* endpoint(std::string_view listener) const;
  bool has_log_dir(const Uuid& directory) const;

  bool operator==(const Broker&) const = default;
};

struct ControllerNode {
  int32_t id = -1;
  Uuid incarnation;
  bool zookeeper_migration_ready = false;
  std::vector<Endpoint> endpoints;
  std::vector<FeatureSupport> features;

  bool operator==(const ControllerNode&) const = default;
};

}  // namespace barnabas::metadata
