// SocketListener: one listening socket for all loops. Connections go to the loops that accept, in turn, so that each
// carries its share for as long as its connections last, however unevenly the kernel would have woken them. Out of file
// descriptors it pauses instead of spinning. Any thread; the descriptor is watched by the loop that accepts first.
#pragma once

#include <memory>

#include "host/unique_fd.h"
#include "runtime/logger.h"
#include "runtime/stream.h"

namespace barnabas::host {

class SocketListener final : public runtime::Listener {
 public:
  SocketListener(UniqueFd socket, runtime::Logger& logger);
  ~SocketListener() override;

  runtime::Task<Result<std::unique_ptr<runtime::Stream>>> accept(runtime::Executor& home,
                                                                 runtime::CancelToken token) override;
  const runtime::Endpoint& local() const override { return local_; }
  void close() override;

 private:
  class Queue;

  const runtime::Endpoint local_;
  // Shared with what is posted to the watching loop, which may run after this object is gone.
  std::shared_ptr<Queue> queue_;
};

}  // namespace barnabas::host
