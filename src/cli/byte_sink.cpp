#include "cli/byte_sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace barnabas::cli {

bool ByteSink::flush() {
  std::string_view left = buffer_;
  while (!left.empty() && !closed_) {
    ssize_t count = write(STDOUT_FILENO, left.data(), left.size());
    if (count >= 0) {
      left.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      (void)poll(&out, 1, -1);
    } else if (errno != EINTR) {
      closed_ = true;
      if (errno != EPIPE) error_ = errno;
    }
  }
  buffer_.clear();
  return !closed_;
}

}  // namespace barnabas::cli
