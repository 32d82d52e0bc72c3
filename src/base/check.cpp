#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace barnabas {

void check_failed(const char* expression, const char* file, int line, const char* note) {
  std::fprintf(stderr, "CHECK failed: %s at %s:%d %s\n", expression, file, line, note);
  std::fflush(stderr);
  std::abort();
}

}  // namespace barnabas
