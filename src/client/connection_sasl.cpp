#include "client/connection_core.h"

namespace barnabas::client {

runtime::Task<Result<>> ConnectionCore::authenticate(Duration) {
  co_return std::unexpected(Error{.kind = Error::Kind::kUnsupported, .message = "no SASL yet"});
}

}  // namespace barnabas::client
