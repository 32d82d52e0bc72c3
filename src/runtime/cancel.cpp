#include "runtime/cancel.h"

#include <utility>

namespace barnabas::runtime {

void CancelSource::request() {
  if (state_->requested) return;
  state_->requested = true;
  auto state = state_;  // a callback may drop the last other reference
  auto& entries = state->entries;
  while (!entries.empty() && !entries.front().ran) {
    entries.front().ran = true;
    auto callback = std::move(entries.front().callback);
    // Kept in the list, so that its owner can still unregister it, whether inside the callback or later.
    entries.splice(entries.end(), entries, entries.begin());
    callback();
  }
}

CancelCallback::CancelCallback(CancelToken token, std::function<void()> callback) : state_(std::move(token.state_)) {
  if (!state_) return;
  if (state_->requested) {
    callback();
    return;
  }
  position_ = state_->entries.insert(state_->entries.end(), {std::move(callback)});
  registered_ = true;
}

CancelCallback::~CancelCallback() {
  if (registered_) state_->entries.erase(position_);
}

}  // namespace barnabas::runtime
