#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace barnabas::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;
int pipe_ends[2] = {-1, -1};

// May run on any thread: the pipe wakes the one that waits.
void remember(int) {
  interrupted = 1;
  char byte = 0;
  (void)!write(pipe_ends[1], &byte, 1);
}

void install(void (*handler)(int), int flags) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  interrupted = 0;
  if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) pipe_ends[0] = pipe_ends[1] = -1;
  install(remember, static_cast<int>(SA_RESETHAND));
}

Interrupt::~Interrupt() {
  install(SIG_DFL, 0);
  for (int& end : pipe_ends) {
    if (end >= 0) close(end);
    end = -1;
  }
}

bool Interrupt::asked() const {
  return interrupted != 0;
}

int Interrupt::file() const {
  return pipe_ends[0];
}

bool Interrupt::wait_readable(int file) const {
  while (!asked()) {
    pollfd files[] = {{.fd = file, .events = POLLIN, .revents = 0},
                      {.fd = pipe_ends[0], .events = POLLIN, .revents = 0}};
    int ready = poll(files, 2, -1);
    if (asked()) return false;
    if (ready > 0 && files[0].revents != 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // let read() tell
  }
  return false;
}

}  // namespace barnabas::cli
