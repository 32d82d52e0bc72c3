// Waiting for time to pass, for work on other threads, and for another loop.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "runtime/cancel.h"
#include "runtime/completion.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace barnabas::runtime {

// Resumes on `home` after `duration`; false when `token` was cancelled before.
Task<bool> sleep_for(Executor& home, Duration duration, CancelToken token = {});

// Runs `work` on the pool and resumes on `home` with its result.
template <class F, class R = std::invoke_result_t<F&>>
Task<R> run_blocking(WorkerPool& pool, Executor& home, F work) {
  Completion<std::conditional_t<std::is_void_v<R>, bool, R>> done;
  pool.submit([done, work = std::move(work)]() mutable {
    if constexpr (std::is_void_v<R>) {
      work();
      done.set(true);
    } else {
      done.set(work());
    }
  });
  auto result = co_await done.wait(home);
  if constexpr (!std::is_void_v<R>) co_return std::move(*result);
}

// Continues on `target`: a coroutine hops loops with `co_await resume_on(loop)`. The task must hop back to the loop of
// its awaiter before it ends.
struct ResumeOn {
  Executor& target;
  bool await_ready() const { return target.is_current(); }
  void await_suspend(std::coroutine_handle<> self) const {
    target.post([self] { self.resume(); });
  }
  void await_resume() const {}
};
inline ResumeOn resume_on(Executor& target) {
  return ResumeOn{target};
}

}  // namespace barnabas::runtime
