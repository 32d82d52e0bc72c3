// Published<T>: an immutable value that is replaced as a whole and read from any thread. Readers get a pointer that
// stays valid for as long as they hold it.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace barnabas {

template <class T>
class Published {
 public:
  using Pointer = std::shared_ptr<const T>;

  Published() = default;
  explicit Published(Pointer value) : value_(std::move(value)) {}

  Pointer get() const {
    std::lock_guard lock(mutex_);
    return value_;
  }
  void set(Pointer value) {
    std::lock_guard lock(mutex_);
    value_.swap(value);
  }

 private:
  mutable std::mutex mutex_;  // held for a pointer copy only
  Pointer value_;
};

}  // namespace barnabas
