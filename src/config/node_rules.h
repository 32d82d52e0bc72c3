// Last step of load_node_config: rules that tie several keys together, as Kafka has them. Used by node_config.cpp only.
#pragma once

#include "base/result.h"
#include "config/node_config.h"
#include "config/node_values.h"

namespace barnabas::config {

// Rules about roles, listeners and the quorum.
Result<> check_roles(const NodeConfig& node, const NodeValues& values);

// Rules about numbers: bounds that depend on another key.
Result<> check_bounds(const NodeConfig& node, const NodeValues& values);

// Java classes: those with a native stand-in pass, those that would change what is allowed are refused, the rest warn.
Result<> check_plug_ins(NodeConfig& node, const NodeValues& values);

}  // namespace barnabas::config
