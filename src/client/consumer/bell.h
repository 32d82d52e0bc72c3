// Bell: wakes one coroutine of the loop. Rung before the wait, it is remembered; rung often, it wakes once.
#pragma once

#include <memory>
#include <optional>

#include "base/time.h"
#include "runtime/cancel.h"
#include "runtime/completion.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace barnabas::client {

class Bell {
 public:
  explicit Bell(runtime::Executor& loop) : loop_(loop), state_(std::make_shared<State>()) {}

  // Any thread.
  void ring() {
    if (loop_.is_current()) {
      state_->ring();
    } else {
      loop_.post([state = state_] { state->ring(); });
    }
  }
  // On the loop, one waiter: until rung, until `when`, or cancelled.
  runtime::Task<> wait(MonotonicTime when, runtime::CancelToken token) {
    auto state = state_;
    runtime::Executor& loop = loop_;
    if (state->rung) {
      state->rung = false;
      co_return;
    }
    runtime::Completion<bool> done;
    state->waiting.emplace(done);
    auto timer = loop.schedule(when, [done] {
      if (!done.is_set()) done.set(true);
    });
    co_await done.wait(loop, token);
    loop.cancel(timer);
    state->waiting.reset();
    state->rung = false;
  }

 private:
  struct State {
    bool rung = false;
    std::optional<runtime::Completion<bool>> waiting;
    void ring() {
      rung = true;
      if (waiting && !waiting->is_set()) waiting->set(true);
    }
  };
  runtime::Executor& loop_;
  std::shared_ptr<State> state_;
};

}  // namespace barnabas::client
