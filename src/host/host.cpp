#include "host/host.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "host/epoll_loop.h"
#include "host/kernel_disk.h"
#include "host/line_logger.h"
#include "host/socket_network.h"
#include "host/system_clock.h"
#include "host/system_random.h"
#include "host/thread_pool.h"
#include "host/unique_fd.h"

namespace barnabas::host {

namespace {

size_t loops_of(const HostOptions& options) {
  if (options.loops > 0) return options.loops;
  return std::max(1u, std::thread::hardware_concurrency());
}

void raise_open_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

class SignalHandler final : public ReadyHandler {
 public:
  SignalHandler(EpollLoop& loop, UniqueFd signals, std::function<void(int)> handler)
      : signals_(std::move(signals)), handler_(std::move(handler)) {
    loop.add(signals_.get(), EPOLLIN, *this);
  }

  void on_ready(uint32_t) override {
    signalfd_siginfo info;
    while (read(signals_.get(), &info, sizeof(info)) == sizeof(info)) handler_(static_cast<int>(info.ssi_signo));
  }

 private:
  UniqueFd signals_;
  std::function<void(int)> handler_;
};

}  // namespace

// In the order in which they are needed: each part uses only those above it, and dies before them.
struct Host::Parts {
  explicit Parts(HostOptions options)
      : logger(clock, options.log_level, std::move(options.log_sink)),
        loops(make_loops(loops_of(options), clock)),
        syncs("sync", options.sync_threads),
        workers("worker", options.worker_threads),
        network(workers, logger),
        disk(syncs),
        world{clock, random, network, disk, workers, logger, {}} {
    for (auto& loop : loops) world.loops.push_back(loop.get());
  }

  static std::vector<std::unique_ptr<EpollLoop>> make_loops(size_t count, SystemClock& clock) {
    std::vector<std::unique_ptr<EpollLoop>> loops;
    for (size_t i = 0; i < count; ++i) loops.push_back(std::make_unique<EpollLoop>(clock));
    return loops;
  }

  SystemClock clock;
  SystemRandom random;
  LineLogger logger;
  std::vector<std::unique_ptr<EpollLoop>> loops;
  std::optional<SignalHandler> signals;
  ThreadPool syncs;
  ThreadPool workers;
  SocketNetwork network;
  KernelDisk disk;
  runtime::World world;
};

Host::Host(HostOptions options) {
  if (options.whole_process) {
    raise_open_file_limit();
    signal(SIGPIPE, SIG_IGN);
  }
  parts_ = std::make_unique<Parts>(std::move(options));
}

Host::~Host() = default;

runtime::World& Host::world() {
  return parts_->world;
}

void Host::run() {
  std::vector<std::thread> threads;
  for (size_t i = 1; i < parts_->loops.size(); ++i) {
    threads.emplace_back([loop = parts_->loops[i].get(), i] {
      become_background_thread("loop-" + std::to_string(i));
      loop->run();
    });
  }
  parts_->loops[0]->run();
  for (std::thread& thread : threads) thread.join();
}

void Host::stop() {
  for (auto& loop : parts_->loops) loop->stop();
}

void Host::on_signal(std::function<void(int signal)> handler) {
  CHECK(!parts_->signals, "signals have one handler");
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGINT);
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  UniqueFd signals(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  CHECK(signals, "the kernel gave no signalfd");
  parts_->signals.emplace(*parts_->loops[0], std::move(signals), std::move(handler));
}

}  // namespace barnabas::host
