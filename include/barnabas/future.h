// Future<T>: the one way results come back, for three styles of program.
//
//   auto result = future.get();                        // block this thread
//   future.then([](Result<T> result) { … });           // be called, on the client's thread
//   auto result = co_await std::move(future);          // in a coroutine, resumed on the client's thread
//
// A Future is also a coroutine's return type: `Future<int> work(Producer& p) { …; co_return 1; }` starts at once and
// runs on the client's thread after its first wait. Each Future is used once, in one of these ways; dropping it is
// allowed and cancels nothing. get() on a client's thread may wait for itself: it is refused with kInvalidArgument.
// Code that runs on the client's thread (callbacks, coroutines) must not block it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "barnabas/error.h"

namespace barnabas::client {

namespace detail {

// True inside a client's loop, whichever client's: nothing waits there, neither get() nor poll(), close() or send().
bool on_client_thread();
Error would_wait_for_itself();
Error promise_dropped();

template <class T>
class FutureState {
 public:
  void set(Result<T> result) {
    std::move_only_function<void(Result<T>)> callback;
    {
      std::lock_guard lock(mutex_);
      if (done_) return;
      done_ = true;
      if (!callback_) {
        result_.emplace(std::move(result));
        condition_.notify_all();
        return;
      }
      callback = std::move(callback_);
    }
    callback(std::move(result));
  }

  bool ready() const {
    std::lock_guard lock(mutex_);
    return done_;
  }

  // False when `limit` passed first; no limit waits for ever.
  bool wait(std::optional<std::chrono::nanoseconds> limit) {
    std::unique_lock lock(mutex_);
    auto done = [this] { return done_; };
    if (limit) return condition_.wait_for(lock, *limit, done);
    condition_.wait(lock, done);
    return true;
  }

  Result<T> take() {
    std::lock_guard lock(mutex_);
    return *std::exchange(result_, std::nullopt);
  }

  // Calls back now when the result is there, else from set().
  void then(std::move_only_function<void(Result<T>)> callback) {
    {
      std::lock_guard lock(mutex_);
      if (!done_) {
        callback_ = std::move(callback);
        return;
      }
    }
    callback(take());
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable condition_;
  bool done_ = false;
  std::optional<Result<T>> result_;
  std::move_only_function<void(Result<T>)> callback_;
};

template <class T>
struct FuturePromise;

}  // namespace detail

template <class T = void>
class [[nodiscard]] Future {
 public:
  using promise_type = detail::FuturePromise<T>;

  explicit Future(std::shared_ptr<detail::FutureState<T>> state) : state_(std::move(state)) {}

  bool ready() const { return state_->ready(); }

  // Waits for the result.
  Result<T> get() {
    if (!state_->ready() && detail::on_client_thread()) return std::unexpected(detail::would_wait_for_itself());
    state_->wait(std::nullopt);
    return state_->take();
  }
  // The result, or nothing if it is not there within `limit`; the Future may then be asked again.
  std::optional<Result<T>> get_for(std::chrono::nanoseconds limit) {
    if (!state_->ready() && detail::on_client_thread()) return std::unexpected(detail::would_wait_for_itself());
    if (!state_->wait(limit)) return std::nullopt;
    return state_->take();
  }
  // `callback` gets the result: at once when it is there, else later on the client's thread.
  void then(std::move_only_function<void(Result<T>)> callback) && { state_->then(std::move(callback)); }

  auto operator co_await() && {
    struct Awaiter {
      std::shared_ptr<detail::FutureState<T>> state;
      std::optional<Result<T>> result;
      bool await_ready() {
        if (!state->ready()) return false;
        result.emplace(state->take());
        return true;
      }
      void await_suspend(std::coroutine_handle<> waiter) {
        auto keep = state;  // the awaiter is gone once the waiter runs
        keep->then([this, waiter](Result<T> value) {
          result.emplace(std::move(value));
          waiter.resume();
        });
      }
      Result<T> await_resume() { return *std::move(result); }
    };
    return Awaiter{std::move(state_), std::nullopt};
  }

 private:
  std::shared_ptr<detail::FutureState<T>> state_;
};

// The other end of a Future. set() once; a Promise dropped without it ends the Future with kCancelled.
template <class T = void>
class Promise {
 public:
  Promise() : state_(std::make_shared<detail::FutureState<T>>()) {}
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Promise() {
    if (state_ && !state_->ready()) state_->set(std::unexpected(detail::promise_dropped()));
  }

  Future<T> future() const { return Future<T>(state_); }
  void set(Result<T> result) const { state_->set(std::move(result)); }

 private:
  std::shared_ptr<detail::FutureState<T>> state_;
};

// A Future that has its result already.
template <class T>
Future<T> ready_future(Result<T> result) {
  auto state = std::make_shared<detail::FutureState<T>>();
  state->set(std::move(result));
  return Future<T>(std::move(state));
}

namespace detail {

template <class T>
struct FuturePromiseBase {
  std::shared_ptr<FutureState<T>> state = std::make_shared<FutureState<T>>();

  Future<T> get_return_object() { return Future<T>(state); }
  std::suspend_never initial_suspend() noexcept { return {}; }
  std::suspend_never final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::terminate(); }
};

// co_return a value, a Result, or std::unexpected(Error).
template <class T>
struct FuturePromise : FuturePromiseBase<T> {
  void return_value(Result<T> result) { this->state->set(std::move(result)); }
};

}  // namespace detail

}  // namespace barnabas::client
