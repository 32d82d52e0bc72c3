// TopicCreator: topics that come into being because somebody asked for them: auto.create.topics.enable, and the
// coordinators' internal topics on first use. One request per topic is under way at a time. Any loop; the work is
// loops[0]'s.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/scope.h"

namespace barnabas::broker {

class Broker;

class TopicCreator {
 public:
  explicit TopicCreator(Broker& broker);

  // Begins to create those that are not being created yet; whoever needs them asks again later.
  void create(std::vector<std::string> names);
  runtime::Task<> stop();

 private:
  static runtime::Task<> create_on_main(TopicCreator* self, std::vector<std::string> names);

  Broker& broker_;
  runtime::Scope scope_;
  std::mutex mutex_;
  std::set<std::string> under_way_;
};

}  // namespace barnabas::broker
