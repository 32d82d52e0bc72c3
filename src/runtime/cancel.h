// Cancellation: a CancelSource asks; operations that were given its CancelToken end early with ErrorCode::kCancelled.
// Belongs to one loop: request, registration and callbacks all happen there.
#pragma once

#include <functional>
#include <list>
#include <memory>

namespace barnabas::runtime {

namespace detail {
struct CancelState {
  struct Entry {
    std::function<void()> callback;
    bool ran = false;
  };
  bool requested = false;
  std::list<Entry> entries;  // those that ran are at the end
};
}  // namespace detail

// Empty by default: never cancelled. Cheap to copy.
class CancelToken {
 public:
  CancelToken() = default;
  bool requested() const { return state_ && state_->requested; }

 private:
  friend class CancelSource;
  friend class CancelCallback;
  explicit CancelToken(std::shared_ptr<detail::CancelState> state) : state_(std::move(state)) {}
  std::shared_ptr<detail::CancelState> state_;
};

class CancelSource {
 public:
  CancelToken token() const { return CancelToken(state_); }
  bool requested() const { return state_->requested; }
  // Runs all registered callbacks, once. Idempotent.
  void request();

 private:
  std::shared_ptr<detail::CancelState> state_ = std::make_shared<detail::CancelState>();
};

// Registered while alive; the callback runs inside request(), or at once from the constructor if already requested.
class CancelCallback {
 public:
  CancelCallback(CancelToken token, std::function<void()> callback);
  ~CancelCallback();
  CancelCallback(const CancelCallback&) = delete;
  CancelCallback& operator=(const CancelCallback&) = delete;

 private:
  std::shared_ptr<detail::CancelState> state_;
  std::list<detail::CancelState::Entry>::iterator position_;
  bool registered_ = false;
};

}  // namespace barnabas::runtime
