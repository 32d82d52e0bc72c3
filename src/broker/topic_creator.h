// TopicCreator: topics that come into being because somebody asked for them: auto.create.topics.enable, and the
// coordinators' internal topics on first use. One request per topic is under way at a time. Any loop; the work is
// loops[0]'s.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
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
  // Once a minute for each name: clients ask again and again.
  bool may_complain(const std::string& name);

  Broker& broker_;
  runtime::Scope scope_;
  std::mutex mutex_;
  std::set<std::string> under_way_;
  std::map<std::string, MonotonicTime> complained_;  // loops[0]: when a failure was last logged
};

}  // namespace barnabas::broker
