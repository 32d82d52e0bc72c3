#include "runtime/sleep.h"

#include "runtime/clock.h"

namespace barnabas::runtime {

Task<bool> sleep_for(Executor& home, Duration duration, CancelToken token) {
  Completion<bool> elapsed;
  TimerId timer = home.schedule(home.clock().now() + duration, [elapsed] { elapsed.set(true); });
  auto fired = co_await elapsed.wait(home, token);
  if (!fired) home.cancel(timer);
  co_return fired.has_value();
}

}  // namespace barnabas::runtime
