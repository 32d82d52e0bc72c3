// Interrupt: Ctrl-C (and SIGTERM) as a question to ask, for commands that have something to finish first. The first one
// is remembered, the second ends the program as usual. One at a time; installed for the life of the object.
#pragma once

namespace barnabas::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool asked() const;
  // Becomes readable when it was asked for: to wait for it together with other files.
  int file() const;
  // Waits until `file` can be read. False: interrupted.
  bool wait_readable(int file) const;
};

}  // namespace barnabas::cli
