// Completion<T>: one value handed from anywhere to one coroutine that waits for it on its own loop. set() may come from
// any thread, before or after the wait begins, at most once; the waiter resumes through its executor's queue, never
// inside set(). A wait that is cancelled ends with nullopt, and a later set() is dropped.
#pragma once

#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "runtime/cancel.h"
#include "runtime/executor.h"

namespace barnabas::runtime {

template <class T>
class Completion {
 public:
  Completion() : state_(std::make_shared<State>()) {}

  // Any thread, at most once. Copies of a Completion share the same value.
  void set(T value) const {
    Executor* home = nullptr;
    {
      std::lock_guard lock(state_->mutex);
      CHECK(!state_->value.has_value(), "a Completion is set once");
      state_->value.emplace(std::move(value));
      if (state_->waiter) home = state_->home;
    }
    if (home) State::resume_on(home, state_);
  }

  bool is_set() const {
    std::lock_guard lock(state_->mutex);
    return state_->value.has_value();
  }

  // Awaitable, on `home`, once: std::optional<T>, empty when `token` was cancelled first.
  auto wait(Executor& home, CancelToken token = {}) const {
    return Awaiter{state_, &home, std::move(token), std::nullopt};
  }

 private:
  struct State {
    std::mutex mutex;
    std::optional<T> value;
    std::coroutine_handle<> waiter;
    Executor* home = nullptr;
    bool cancelled = false;

    static void resume_on(Executor* home, const std::shared_ptr<State>& state) {
      home->post([state] {
        std::coroutine_handle<> waiter;
        {
          std::lock_guard lock(state->mutex);
          waiter = std::exchange(state->waiter, {});
        }
        if (waiter) waiter.resume();
      });
    }
  };

  struct Awaiter {
    std::shared_ptr<State> state;
    Executor* home;
    CancelToken token;
    std::optional<CancelCallback> on_cancel;

    bool await_ready() {
      if (token.requested()) return true;
      std::lock_guard lock(state->mutex);
      return state->value.has_value();
    }
    bool await_suspend(std::coroutine_handle<> waiter) {
      {
        std::lock_guard lock(state->mutex);
        if (state->value) return false;
        state->waiter = waiter;
        state->home = home;
      }
      on_cancel.emplace(token, [s = state, h = home] {
        {
          std::lock_guard lock(s->mutex);
          s->cancelled = true;
        }
        State::resume_on(h, s);
      });
      return true;
    }
    std::optional<T> await_resume() {
      on_cancel.reset();
      std::lock_guard lock(state->mutex);
      return std::exchange(state->value, std::nullopt);
    }
  };

  std::shared_ptr<State> state_;
};

}  // namespace barnabas::runtime
