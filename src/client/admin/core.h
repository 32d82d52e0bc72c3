// Admin::Core: an admin client on its loop: a Cluster, and the operations under way. Operations are free coroutines
// over the Cluster (topics.h, groups.h, …); start() runs one and hands its result to a Future. Shared by the Admin
// object and by what still runs, so it outlives both.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "barnabas/admin.h"
#include "client/cluster.h"
#include "client/runtime_loop.h"
#include "runtime/scope.h"
#include "runtime/task.h"

namespace barnabas::client {

class Admin::Core : public std::enable_shared_from_this<Admin::Core> {
 public:
  Core(std::shared_ptr<RuntimeLoop> runtime, AdminSettings settings);

  Cluster& cluster() { return cluster_; }

  // Any thread. `task` has not begun: it begins on the loop.
  template <class T>
  Future<T> start(runtime::Task<Result<T>> task) {
    Promise<T> promise;
    Future<T> future = promise.future();
    if (closed_.load()) {
      promise.set(std::unexpected(closed()));
      return future;
    }
    runtime_->loop().post([self = shared_from_this(), promise = std::move(promise), task = std::move(task)]() mutable {
      if (self->closed_.load()) return promise.set(std::unexpected(closed()));
      self->scope_.spawn(finish(std::move(promise), std::move(task)));
    });
    return future;
  }

  // Waits until nothing runs any more, unless called on a client's loop.
  void close();

 private:
  template <class T>
  static runtime::Task<> finish(Promise<T> promise, runtime::Task<Result<T>> task) {
    auto result = co_await std::move(task);
    promise.set(std::move(result));
  }
  static Error closed();
  static Future<> shut_down(std::shared_ptr<Core> self);

  std::shared_ptr<RuntimeLoop> runtime_;
  Cluster cluster_;
  runtime::Scope scope_;
  std::atomic<bool> closed_ = false;
};

}  // namespace barnabas::client
