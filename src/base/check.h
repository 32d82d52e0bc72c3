// CHECK: what we believe about our own code. On in every build; a failure prints the expression and stops the process.
// Never use it on bytes from the network or the disk: those are a Result.
#pragma once

namespace barnabas {
[[noreturn]] void check_failed(const char* expression, const char* file, int line, const char* note);
}

#define CHECK(expression, ...)                                                   \
  do {                                                                           \
    if (!(expression)) [[unlikely]]                                              \
      ::barnabas::check_failed(#expression, __FILE__, __LINE__, "" __VA_ARGS__); \
  } while (false)
