#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace barnabas {

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kExists:
      return "exists";
    case ErrorCode::kNoSpace:
      return "no space";
    case ErrorCode::kIo:
      return "i/o";
    case ErrorCode::kClosed:
      return "closed";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kTimedOut:
      return "timed out";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kDenied:
      return "denied";
  }
  return "unknown";
}

namespace {

ErrorCode code_of(int os_error) {
  switch (os_error) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorCode::kExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kDenied;
    case EADDRINUSE:
    case EWOULDBLOCK:
    case EBUSY:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::kBusy;
    case EPIPE:
    case ECONNABORTED:
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNRESET:
      return ErrorCode::kClosed;
    case ETIMEDOUT:
      return ErrorCode::kTimedOut;
    case EINVAL:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

Error os_error(int os_error, const std::string& what) {
  return Error{code_of(os_error), what + ": " + std::strerror(os_error)};
}

}  // namespace barnabas
