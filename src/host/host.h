// Host: this process as a World: epoll loops, kernel sockets, real files, the real clock. main() makes one, builds a
// node over world(), and runs it on the calling thread; tests do the same (run_task.h). Several may exist in one
// process. What was built over world() must have ended before the Host is destroyed.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "runtime/logger.h"
#include "runtime/world.h"

namespace barnabas::host {

struct HostOptions {
  size_t loops = 0;           // event loops, a thread each; 0 = one per core
  size_t sync_threads = 16;   // at most so many files are synced at once; started when needed
  size_t worker_threads = 8;  // of World::workers: so much compacts at once, at most; started when needed
  runtime::LogLevel log_level = runtime::LogLevel::kInfo;
  // Gets whole lines ("2026-11-23T11:00:00.123Z INFO text", no newline), one at a time. Empty: standard error.
  std::function<void(std::string_view line)> log_sink;
  // The process is ours: raise the limit of open files to what the system allows, ignore SIGPIPE.
  bool whole_process = true;
};

class Host {
 public:
  explicit Host(HostOptions options = {});
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  runtime::World& world();

  // Runs loops[0] on the calling thread and the others on threads of their own, until stop(). May be called again.
  void run();
  // Ends run() after the pass the loops are in. Any thread; also before run(), which then returns at once. Work still
  // queued stays queued.
  void stop();

  // From now on SIGTERM and SIGINT no longer end the process but call `handler` on loops[0], each time. Before run(),
  // on its thread, once.
  void on_signal(std::function<void(int signal)> handler);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace barnabas::host
