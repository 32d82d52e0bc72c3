// Node: one Barnabas process's worth of roles, wired: listeners, log directories, the metadata quorum, the broker.
// main() builds one over the real world, the simulator over a virtual machine, with the same call. Started and stopped
// on loops[0].
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/node_config.h"
#include "runtime/task.h"
#include "runtime/world.h"

namespace barnabas::node {

class Node {
 public:
  // What a person starting a node wants to know.
  struct Facts {
    std::string cluster_id;
    std::vector<std::string> addresses;  // NAME://host:port, as advertised
    std::vector<std::string> log_dirs;
    std::string durability;
    bool formatted = false;  // empty directories were formatted by this start
  };

  // Serves clients when it returns. An error is one sentence for the person who started it; nothing is left running,
  // and a directory that this build may not run has not been touched.
  static runtime::Task<Result<std::unique_ptr<Node>>> start(runtime::World& world, config::NodeConfig config);
  ~Node();

  // Kafka's clean stop: leadership is handed back, what waits is answered, logs are closed so that the next start is
  // instant.
  runtime::Task<> stop();

  const Facts& facts() const;

 private:
  struct Parts;
  explicit Node(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace barnabas::node
