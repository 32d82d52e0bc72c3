#include "broker/waiter.h"

namespace barnabas::broker {

runtime::Task<> Waiter::wait(std::shared_ptr<Waiter> waiter, runtime::Executor& home, MonotonicTime deadline,
                             runtime::CancelToken token) {
  if (waiter->fired()) co_return;
  runtime::TimerId timer = 0;
  bool bounded = deadline.nanos < INT64_MAX;
  if (bounded) timer = home.schedule(deadline, [waiter] { waiter->fire(); });
  co_await waiter->done_.wait(home, token);
  if (bounded) home.cancel(timer);
}

}  // namespace barnabas::broker
