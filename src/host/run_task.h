// run_task: runs a host for as long as one task takes: main() with the node's whole life, a test with its story. The
// task starts on loops[0]; run_task blocks the calling thread, which is loops[0]'s meanwhile, and returns the task's
// result.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "host/host.h"
#include "runtime/executor.h"
#include "runtime/scope.h"
#include "runtime/task.h"

namespace barnabas::host {

namespace detail {
template <class T>
runtime::Task<> run_and_stop(Host& host, runtime::Task<T> task, std::optional<T>& result) {
  T value = co_await std::move(task);
  result.emplace(std::move(value));
  host.stop();
}
inline runtime::Task<> run_and_stop(Host& host, runtime::Task<> task) {
  co_await std::move(task);
  host.stop();
}
}  // namespace detail

template <class T>
T run_task(Host& host, runtime::Task<T> task) {
  runtime::Executor& loop = *host.world().loops[0];
  runtime::Scope scope(loop);
  if constexpr (std::is_void_v<T>) {
    loop.post([&] { scope.spawn(detail::run_and_stop(host, std::move(task))); });
    host.run();
  } else {
    std::optional<T> result;
    loop.post([&] { scope.spawn(detail::run_and_stop(host, std::move(task), result)); });
    host.run();
    return *std::move(result);
  }
}

}  // namespace barnabas::host
