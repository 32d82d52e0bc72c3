#include "barnabas/error.h"

#include "barnabas/future.h"
#include "client/cluster.h"
#include "wire/kafka_error.h"

namespace barnabas::client {

namespace {

std::string_view kind_name(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::kBroker:
      return "UNKNOWN_SERVER_ERROR";
    case Error::Kind::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case Error::Kind::kConfig:
      return "INVALID_CONFIG";
    case Error::Kind::kTimedOut:
      return "TIMED_OUT";
    case Error::Kind::kNotReachable:
      return "NOT_REACHABLE";
    case Error::Kind::kAuthentication:
      return "AUTHENTICATION_FAILED";
    case Error::Kind::kBadAnswer:
      return "BAD_ANSWER";
    case Error::Kind::kUnsupported:
      return "UNSUPPORTED";
    case Error::Kind::kClosed:
      return "CLOSED";
    case Error::Kind::kCancelled:
      return "CANCELLED";
    case Error::Kind::kFull:
      return "BUFFER_FULL";
    case Error::Kind::kIo:
      return "IO_ERROR";
  }
  return "UNKNOWN";
}

}  // namespace

std::string_view Error::name() const {
  if (code == ErrorCode::kNone) return kind_name(kind);
  return wire::kafka_error_name(static_cast<wire::KafkaError>(code));
}

std::string Error::to_string() const {
  std::string text(name());
  if (!message.empty()) text.append(": ").append(message);
  return text;
}

Error broker_error(wire::KafkaError code, std::string_view what, const std::optional<std::string>& message) {
  Error error;
  error.kind = Error::Kind::kBroker;
  error.code = static_cast<ErrorCode>(code);
  if (!what.empty()) error.message.append(what).append(": ");
  error.message += message && !message->empty() ? *message : std::string(wire::kafka_error_message(code));
  error.retriable = wire::is_retriable(code);
  return error;
}

Error from_base(const barnabas::Error& error) {
  using Kind = Error::Kind;
  switch (error.code) {
    case barnabas::ErrorCode::kTimedOut:
      return {.kind = Kind::kTimedOut, .message = error.message, .retriable = true};
    case barnabas::ErrorCode::kCancelled:
      return {.kind = Kind::kCancelled, .message = error.message};
    case barnabas::ErrorCode::kInvalid:
    case barnabas::ErrorCode::kCorrupt:
      return {.kind = Kind::kBadAnswer, .message = error.message};
    case barnabas::ErrorCode::kUnsupported:
      return {.kind = Kind::kUnsupported, .message = error.message};
    default:
      return {.kind = Kind::kNotReachable, .message = error.message, .retriable = true};
  }
}

namespace detail {

Error would_wait_for_itself() {
  return {.message = "get() on a client's own thread would wait for itself; use then() or co_await there"};
}

Error promise_dropped() {
  return {.kind = Error::Kind::kCancelled, .message = "the operation was given up before it had a result"};
}

}  // namespace detail

}  // namespace barnabas::client
