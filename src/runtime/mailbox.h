// Mailbox<T>: messages from any thread to one coroutine on one loop, in the order sent. Unbounded: senders are our own
// loops, and what may pile up is bounded by whoever sends.
#pragma once

#include <coroutine>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "runtime/executor.h"

namespace barnabas::runtime {

template <class T>
class Mailbox {
 public:
  explicit Mailbox(Executor& home) : home_(home) {}

  // Any thread. After close() messages are dropped.
  void send(T message) {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    queue_.push_back(std::move(message));
    wake_locked();
  }
  // Any thread. The receiver gets what was sent before, then nullopt.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    wake_locked();
  }

  // On the home loop, one receiver: the next message, or nullopt once closed and empty.
  auto receive() { return Awaiter{this}; }

 private:
  struct Awaiter {
    Mailbox* box;
    bool await_ready() const {
      std::lock_guard lock(box->mutex_);
      return !box->queue_.empty() || box->closed_;
    }
    bool await_suspend(std::coroutine_handle<> receiver) {
      std::lock_guard lock(box->mutex_);
      if (!box->queue_.empty() || box->closed_) return false;
      CHECK(!box->receiver_, "a Mailbox has one receiver");
      box->receiver_ = receiver;
      return true;
    }
    std::optional<T> await_resume() {
      std::lock_guard lock(box->mutex_);
      if (box->queue_.empty()) return std::nullopt;
      std::optional<T> message(std::move(box->queue_.front()));
      box->queue_.pop_front();
      return message;
    }
  };

  void wake_locked() {
    if (!receiver_) return;
    auto receiver = std::exchange(receiver_, {});
    home_.post([receiver] { receiver.resume(); });
  }

  Executor& home_;
  std::mutex mutex_;
  std::deque<T> queue_;
  bool closed_ = false;
  std::coroutine_handle<> receiver_;
};

}  // namespace barnabas::runtime
