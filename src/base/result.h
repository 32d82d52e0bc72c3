// Result: how environment failures (disk, peer, bad bytes) travel. A protocol outcome (NOT_LEADER) is a value in a
// response instead, and our own bug is a CHECK.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace barnabas {

enum class ErrorCode {
  kInvalid,  // bad bytes or a bad argument from outside
  kCorrupt,  // stored bytes that do not check out
  kNotFound,
  kExists,
  kNoSpace,    // ENOSPC, EDQUOT
  kIo,         // any other failure of a device
  kClosed,     // the peer or we closed it
  kCancelled,  // asked to end early
  kTimedOut,
  kUnsupported,
  kBusy,    // held by somebody else (a lock, a port), or no descriptors are left: may pass
  kDenied,  // permission
};

// Short name of `code`, for log lines.
const char* error_code_name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string message;  // one sentence: what was wrong, and where it helps what to do

  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// The Error for `os_error` (errno), its message "<what>: <strerror>".
Error os_error(int os_error, const std::string& what);

}  // namespace barnabas

// Evaluates `expression` (a Result); returns its error from the enclosing function, or goes on.
#define TRY(expression)                                             \
  do {                                                              \
    if (auto try_result_ = (expression); !try_result_) [[unlikely]] \
      return std::unexpected(std::move(try_result_).error());       \
  } while (false)

#define BARNABAS_CONCAT_(a, b) a##b
#define BARNABAS_CONCAT(a, b) BARNABAS_CONCAT_(a, b)

// TRY_ASSIGN(auto x, f()): like TRY, and binds the value.
#define TRY_ASSIGN(target, expression) TRY_ASSIGN_(BARNABAS_CONCAT(try_value_, __LINE__), target, expression)
#define TRY_ASSIGN_(name, target, expression)        \
  auto name = (expression);                          \
  if (!name) [[unlikely]]                            \
    return std::unexpected(std::move(name).error()); \
  target = *std::move(name)
