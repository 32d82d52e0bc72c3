// TLS between a connection's stream and its requests.
#pragma once

#include <memory>

#include "client/connection.h"
#include "runtime/stream.h"

namespace barnabas::client {

// The stream itself without TLS; with it, a stream of plain bytes over it, once the peers have shaken hands within
// `timeout`. kAuthentication when a side refuses the other; kBadAnswer when the peer does not speak TLS; kConfig.
runtime::Task<Result<std::unique_ptr<runtime::Stream>>> secure(runtime::Executor& loop, const ClientSettings& settings,
                                                               const Connection::Options& options,
                                                               std::unique_ptr<runtime::Stream> stream,
                                                               Duration timeout, runtime::CancelToken token);

// What the settings say, read from the disk.
Result<std::shared_ptr<security::TlsContext>> make_tls_context(const TlsSettings& settings);

}  // namespace barnabas::client
