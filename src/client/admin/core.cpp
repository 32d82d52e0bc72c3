#include "client/admin/core.h"

namespace barnabas::client {

Admin::Core::Core(std::shared_ptr<RuntimeLoop> runtime, AdminSettings settings)
    : runtime_(std::move(runtime)),
      cluster_(runtime_->world(), runtime_->loop(), std::move(settings)),
      scope_(runtime_->loop()) {}

Error Admin::Core::closed() {
  return {.kind = Error::Kind::kClosed, .message = "the admin client is closed", .fatal = true};
}

Future<> Admin::Core::shut_down(std::shared_ptr<Core> self) {
  self->scope_.cancel();
  co_await self->cluster_.close();
  co_await self->scope_.join();
  co_return Result<>{};
}

void Admin::Core::close() {
  if (closed_.exchange(true)) return;
  Promise<> done;
  Future<> ended = done.future();
  runtime_->loop().post([self = shared_from_this(), done = std::move(done)]() mutable {
    shut_down(std::move(self)).then([done = std::move(done)](Result<> result) { done.set(std::move(result)); });
  });
  if (!runtime_->waiting_forbidden()) (void)ended.get();
}

}  // namespace barnabas::client
