#include "runtime/scope.h"

#include <utility>

#include "base/check.h"

namespace barnabas::runtime {

// A coroutine that owns itself: the frame goes away when the task has ended.
struct Scope::Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept { CHECK(false, "an exception left a spawned Task"); }
  };
};

Scope::Detached Scope::run(Scope* scope, Task<> task) {
  co_await std::move(task);
  scope->ended();
}

Scope::~Scope() {
  CHECK(running_ == 0, "a Scope died before its tasks");
}

void Scope::spawn(Task<> task) {
  ++running_;
  run(this, std::move(task));
}

void Scope::ended() {
  --running_;
  if (running_ > 0 || !joiner_) return;
  home_.post([joiner = std::exchange(joiner_, {})] { joiner.resume(); });
}

Task<> Scope::join() {
  struct Idle {
    Scope* scope;
    bool await_ready() { return scope->running_ == 0; }
    void await_suspend(std::coroutine_handle<> joiner) {
      CHECK(!scope->joiner_, "a Scope is joined by one waiter at a time");
      scope->joiner_ = joiner;
    }
    void await_resume() {}
  };
  while (running_ > 0) {
    co_await Idle{this};
  }
}

}  // namespace barnabas::runtime
