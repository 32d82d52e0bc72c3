#include "client/connection_security.h"

namespace barnabas::client {

runtime::Task<Result<std::unique_ptr<runtime::Stream>>> secure(runtime::World&, runtime::Executor&,
                                                               const ClientSettings& settings,
                                                               const Connection::Options&,
                                                               std::unique_ptr<runtime::Stream> stream, Duration,
                                                               runtime::CancelToken) {
  if (settings.security == SecurityProtocol::kPlaintext || settings.security == SecurityProtocol::kSaslPlaintext) {
    co_return std::move(stream);
  }
  co_return std::unexpected(Error{.kind = Error::Kind::kUnsupported, .message = "no TLS yet"});
}

}  // namespace barnabas::client
