#include "client/connection_security.h"

#include <fmt/format.h>

#include <utility>

#include "client/cluster.h"
#include "client/connection_tls.h"
#include "runtime/clock.h"
#include "security/tls_engine.h"

namespace barnabas::client {

Result<std::shared_ptr<security::TlsContext>> make_tls_context(const TlsSettings& settings) {
  auto files = read_tls_files(settings);
  if (!files) return std::unexpected(files.error());
  auto context = security::TlsContext::create(*files);
  if (!context) {
    auto kind =
        context.error().code == barnabas::ErrorCode::kUnsupported ? Error::Kind::kUnsupported : Error::Kind::kConfig;
    return std::unexpected(Error{.kind = kind, .message = "TLS: " + context.error().message});
  }
  return *std::move(context);
}

runtime::Task<Result<std::unique_ptr<runtime::Stream>>> secure(runtime::Executor& loop, const ClientSettings& settings,
                                                               const Connection::Options& options,
                                                               std::unique_ptr<runtime::Stream> stream,
                                                               Duration timeout, runtime::CancelToken token) {
  if (settings.security == SecurityProtocol::kPlaintext || settings.security == SecurityProtocol::kSaslPlaintext) {
    co_return std::move(stream);
  }
  std::shared_ptr<security::TlsContext> context = options.tls;
  if (!context) {
    auto made = make_tls_context(settings.tls);
    if (!made) co_return std::unexpected(made.error());
    context = *std::move(made);
  }
  auto engine = security::TlsEngine::client(std::move(context), options.host_name, settings.tls.verify_host_name);
  auto tls = std::make_unique<TlsStream>(std::move(stream), std::move(engine));
  runtime::CancelSource late;
  runtime::CancelCallback on_cancel(token, [&late] { late.request(); });
  runtime::TimerId timer = loop.schedule(loop.clock().now() + timeout, [&late] { late.request(); });
  auto shaken = co_await tls->shake_hands(late.token());
  loop.cancel(timer);
  if (shaken) co_return std::move(tls);
  std::string peer = options.to.to_string();
  if (token.requested()) {
    co_return std::unexpected(Error{.kind = Error::Kind::kClosed, .message = "the client was closed"});
  }
  Error error = from_base(shaken.error());
  switch (shaken.error().code) {
    case barnabas::ErrorCode::kDenied:
      error = {.kind = Error::Kind::kAuthentication, .message = fmt::format("{}: {}", peer, shaken.error().message)};
      break;
    case barnabas::ErrorCode::kInvalid:
      error = {.kind = Error::Kind::kBadAnswer,
               .message = fmt::format("{} does not speak TLS: {}", peer, shaken.error().message)};
      break;
    case barnabas::ErrorCode::kCancelled:
      error = {.kind = Error::Kind::kTimedOut,
               .message = fmt::format("{} did not finish the TLS handshake in time", peer),
               .retriable = true};
      break;
    default:
      error.message = fmt::format(
          "{} closed the connection during the TLS handshake: its listener may not expect TLS, or not trust this "
          "client ({})",
          peer, shaken.error().message);
      break;
  }
  co_return std::unexpected(error);
}

}  // namespace barnabas::client
