// SocketNetwork: TCP as the kernel does it. Names are resolved on the worker pool.
#pragma once

#include "runtime/logger.h"
#include "runtime/stream.h"

namespace barnabas::host {

class SocketNetwork final : public runtime::Network {
 public:
  SocketNetwork(runtime::WorkerPool& workers, runtime::Logger& logger) : workers_(workers), logger_(logger) {}

  Result<std::unique_ptr<runtime::Listener>> listen(const runtime::Endpoint& at,
                                                    const runtime::ListenOptions& options) override;
  runtime::Task<Result<std::unique_ptr<runtime::Stream>>> connect(runtime::Executor& home, runtime::Endpoint to,
                                                                  Duration timeout,
                                                                  runtime::CancelToken token) override;

 private:
  runtime::WorkerPool& workers_;
  runtime::Logger& logger_;
};

}  // namespace barnabas::host
