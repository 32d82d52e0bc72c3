#include "host/host_thread.h"

#include <thread>
#include <utility>

#include "host/thread_pool.h"

namespace barnabas::host {

struct HostThread::Parts {
  explicit Parts(HostOptions options) : host(std::move(options)) {}
  Host host;
  std::thread thread;
};

HostThread::HostThread(HostOptions options) {
  options.loops = 1;
  options.whole_process = false;
  parts_ = std::make_shared<Parts>(std::move(options));
  parts_->thread = std::thread([parts = parts_] {
    become_background_thread("barnabas");
    parts->host.run();
  });
}

HostThread::~HostThread() {
  parts_->host.stop();
  if (parts_->thread.get_id() == std::this_thread::get_id()) {
    parts_->thread.detach();
  } else {
    parts_->thread.join();
  }
}

runtime::World& HostThread::world() {
  return parts_->host.world();
}

runtime::Executor& HostThread::loop() {
  return *parts_->host.world().loops[0];
}

}  // namespace barnabas::host
