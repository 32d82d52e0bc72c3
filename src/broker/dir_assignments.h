// DirAssignments: tells the controller which log directory holds which replica of ours, where the metadata log says
// something else (KIP-858): with several directories the broker chooses, and only what the controller knows goes
// offline with a directory. Gathers, sends in batches, tries again until it is answered. On loops[0].
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "base/uuid.h"
#include "runtime/scope.h"
#include "runtime/task.h"

namespace barnabas::wire {
struct AssignReplicasToDirsRequest;
struct AssignReplicasToDirsResponse;
}  // namespace barnabas::wire

namespace barnabas::broker {

class Broker;

struct DirAssignment {
  Uuid topic_id;
  int32_t partition = 0;
  Uuid directory;
};

class DirAssignments {
 public:
  explicit DirAssignments(Broker& broker);

  void add(const DirAssignment& assignment);
  runtime::Task<> stop();

 private:
  static runtime::Task<> run(DirAssignments* self);
  wire::AssignReplicasToDirsRequest next_request() const;
  // Forgets what was answered for good. How many.
  size_t settle(const wire::AssignReplicasToDirsResponse& response);

  Broker& broker_;
  runtime::Scope scope_;
  std::map<std::pair<Uuid, int32_t>, Uuid> pending_;
  bool running_ = false;
  bool stopping_ = false;
};

}  // namespace barnabas::broker
