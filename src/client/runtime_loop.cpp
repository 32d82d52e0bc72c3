#include "client/runtime_loop.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "barnabas/future.h"
#include "host/host_thread.h"
#include "runtime/logger.h"

namespace barnabas::client {

namespace {

// Held by a RuntimeLoop; known to the thread that runs its loop. One thread may run many: the simulator runs all.
struct LoopMark {
  runtime::Executor* loop;
};
thread_local std::vector<std::weak_ptr<LoopMark>> marks_of_this_thread;

std::shared_ptr<LoopMark> mark(runtime::Executor& loop) {
  auto made = std::make_shared<LoopMark>(&loop);
  auto remember = [weak = std::weak_ptr(made)] {
    std::erase_if(marks_of_this_thread, [](const auto& known) { return known.expired(); });
    marks_of_this_thread.push_back(weak);
  };
  loop.is_current() ? remember() : loop.post(remember);
  return made;
}

class LoopOverWorld final : public RuntimeLoop {
 public:
  LoopOverWorld(runtime::World& world, runtime::Executor& loop) : world_(world), loop_(loop), mark_(mark(loop)) {}

  runtime::World& world() override { return world_; }
  runtime::Executor& loop() override { return loop_; }

 private:
  runtime::World& world_;
  runtime::Executor& loop_;
  std::shared_ptr<LoopMark> mark_;
};

class LoopOfItsOwn final : public RuntimeLoop {
 public:
  explicit LoopOfItsOwn(host::HostOptions options) : host_(std::move(options)), mark_(mark(host_.loop())) {}

  runtime::World& world() override { return host_.world(); }
  runtime::Executor& loop() override { return host_.loop(); }

 private:
  host::HostThread host_;
  std::shared_ptr<LoopMark> mark_;
};

runtime::LogLevel level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return runtime::LogLevel::kDebug;
    case LogLevel::kInfo:
      return runtime::LogLevel::kInfo;
    case LogLevel::kWarn:
      return runtime::LogLevel::kWarning;
    case LogLevel::kError:
      return runtime::LogLevel::kError;
  }
  return runtime::LogLevel::kWarning;
}

}  // namespace

std::shared_ptr<RuntimeLoop> RuntimeLoop::over(runtime::World& world, runtime::Executor& loop) {
  return std::make_shared<LoopOverWorld>(world, loop);
}

std::shared_ptr<RuntimeLoop> RuntimeLoop::of(std::shared_ptr<Runtime> shared_or_null) {
  if (!shared_or_null) shared_or_null = Runtime::create();
  return std::static_pointer_cast<RuntimeLoop>(std::move(shared_or_null));
}

std::shared_ptr<Runtime> Runtime::create(RuntimeOptions options) {
  host::HostOptions host;
  host.loops = 1;
  host.log_level = level_of(options.log_level);
  host.log_sink = std::move(options.log_sink);
  return std::make_shared<LoopOfItsOwn>(std::move(host));
}

bool RuntimeLoop::waiting_forbidden() {
  return loop().is_current() || detail::on_client_thread();
}

bool detail::on_client_thread() {
  return std::ranges::any_of(marks_of_this_thread, [](const auto& weak) {
    auto known = weak.lock();
    return known && known->loop->is_current();
  });
}

}  // namespace barnabas::client
