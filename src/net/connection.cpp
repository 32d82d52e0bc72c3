#include "net/connection.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "runtime/clock.h"
#include "runtime/logger.h"
#include "runtime/sleep.h"

namespace barnabas::net {

namespace {
// Frames below this are not worth counting: each connection may hold one.
constexpr uint64_t kUnchargedBytes = 64 << 10;
}  // namespace

Connection::Connection(std::unique_ptr<runtime::Stream> stream, runtime::Executor& loop, std::string listener,
                       Service& service, MemoryBudget& budget, runtime::Logger& logger,
                       const ConnectionOptions& options)
    : stream_(std::move(stream)),
      loop_(loop),
      service_(service),
      budget_(budget),
      logger_(logger),
      options_(options),
      buffer_(options.frame_bytes_max),
      requests_(loop),
      last_active_(loop.clock().now()) {
  info_ = ConnectionInfo{
      .loop = &loop, .listener = std::move(listener), .peer = stream_->peer(), .local = stream_->local()};
}

auto Connection::parked() {
  struct Parked {
    Connection* self;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> reader) { self->reader_ = reader; }
    void await_resume() const {}
  };
  return Parked{this};
}

void Connection::wake_reader() {
  if (!reader_) return;
  loop_.post([reader = std::exchange(reader_, {})] { reader.resume(); });
}

runtime::Task<> Connection::run(runtime::CancelToken stop) {
  {
    runtime::CancelCallback on_stop(stop, [this] { close(); });
    co_await read_requests();
    requests_.cancel();
    co_await requests_.join();
  }
  stream_->close();
  if (charged_bytes_ > 0) budget_.release(charged_bytes_);
}

void Connection::close() {
  ended_ = true;
  requests_.cancel();
  stream_->close();
  wake_reader();
}

void Connection::end(std::string reason) {
  if (!ended_ && !reason.empty()) {
    logger_.info(fmt::format("closing the connection of {}: {}", info_.peer.to_string(), reason));
  }
  ended_ = true;
}

runtime::Task<> Connection::read_requests() {
  while (!ended_) {
    auto frame = buffer_.next_frame();
    if (!frame) {
      end(frame.error().message);
      break;
    }
    if (!frame->has_value()) {
      auto more = co_await receive_more();
      if (!more) break;
      continue;
    }
    last_active_ = loop_.clock().now();
    bool overlap = service_.may_overlap((*frame)->payload, info_);
    uint32_t others_max = overlap ? options_.requests_in_flight_max : 1;
    while (!ended_ && (in_flight_ >= others_max || unsent_bytes_ > options_.unsent_bytes_max)) {
      co_await parked();
    }
    if (muted_until_ > loop_.clock().now()) {
      Duration rest = muted_until_ - loop_.clock().now();
      co_await runtime::sleep_for(loop_, rest, requests_.token());
    }
    if (ended_) break;
    auto slot = std::make_shared<Slot>();
    slots_.push_back(slot);
    ++in_flight_;
    requests_.spawn(answer_one(std::move(**frame), slot));
    // A request that does not overlap must be answered before the next one starts, whatever that is.
    while (!overlap && !ended_ && in_flight_ > 0) {
      co_await parked();
    }
  }
  // What was answered before the end still goes out, as far as the peer takes it at once.
  flush();
}

runtime::Task<Result<>> Connection::receive_more() {
  auto pending = buffer_.pending_frame_bytes();
  if (charged_bytes_ > 0 && (!pending || *pending <= kUnchargedBytes)) {
    budget_.release(std::exchange(charged_bytes_, 0));
  }
  if (pending && *pending > kUnchargedBytes && charged_bytes_ == 0) {
    uint64_t bytes = *pending;
    bool granted = co_await budget_.acquire(loop_, bytes, requests_.token());
    if (!granted) co_return fail(ErrorCode::kCancelled, "the connection ends");
    charged_bytes_ = bytes;
  }
  while (!ended_) {
    auto space = buffer_.space();
    auto got = stream_->try_read(space);
    if (!got) {
      end("");
      co_return std::unexpected(got.error());
    }
    if (*got > 0) {
      buffer_.received(*got);
      co_return Result<>{};
    }
    auto ready = co_await stream_->readable(requests_.token());
    if (!ready) {
      end("");
      co_return ready;
    }
  }
  co_return fail(ErrorCode::kClosed, "the connection ends");
}

runtime::Task<> Connection::answer_one(Frame frame, std::shared_ptr<Slot> slot) {
  auto answer = co_await service_.serve(std::move(frame), info_, requests_.token());
  slot->answer.emplace(std::move(answer));
  CHECK(in_flight_ > 0);
  --in_flight_;
  last_active_ = loop_.clock().now();
  schedule_flush();
  wake_reader();
}

void Connection::schedule_flush() {
  if (flush_scheduled_) return;
  flush_scheduled_ = true;
  // Through the scope, so that the connection outlives the hook.
  struct EndOfPass {
    runtime::Executor& loop;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> self) const {
      loop.at_end_of_pass([self] { self.resume(); });
    }
    void await_resume() const {}
  };
  struct Flusher {
    static runtime::Task<> run(Connection* connection) {
      co_await EndOfPass{connection->loop_};
      connection->flush_scheduled_ = false;
      connection->flush();
    }
  };
  requests_.spawn(Flusher::run(this));
}

void Connection::flush() {
  while (!slots_.empty() && slots_.front()->answer) {
    Answer& answer = *slots_.front()->answer;
    for (Payload& segment : answer.segments) {
      unsent_bytes_ += segment.size();
      unsent_.push_back(std::move(segment));
    }
    if (answer.mute.count() > 0) muted_until_ = loop_.clock().now() + answer.mute;
    bool last = answer.close;
    if (last) end(std::move(answer.reason));
    slots_.pop_front();
    if (last) {
      // The reader may be waiting for the peer; what was answered before goes out first.
      close_when_sent_ = true;
      slots_.clear();
      wake_reader();
      break;
    }
  }
  if (unsent_bytes_ == 0 && close_when_sent_) close();
  if (unsent_bytes_ == 0 || sending_) return;
  auto wrote = stream_->try_write(unsent_, 0);
  if (!wrote) {
    close();
    return;
  }
  if (*wrote == unsent_bytes_) {
    unsent_.clear();
    unsent_bytes_ = 0;
    if (close_when_sent_) close();
    return;
  }
  sent_of_first_ = *wrote;
  sending_ = true;
  requests_.spawn(send_pending());
}

runtime::Task<> Connection::send_pending() {
  while (unsent_bytes_ > sent_of_first_) {
    auto ready = co_await stream_->writable(requests_.token());
    if (!ready) break;
    auto wrote = stream_->try_write(unsent_, sent_of_first_);
    if (!wrote) break;
    sent_of_first_ += *wrote;
    last_active_ = loop_.clock().now();
    // Drop what is wholly sent, so that its memory and files are free.
    size_t whole = 0;
    while (whole < unsent_.size() && sent_of_first_ >= unsent_[whole].size()) {
      sent_of_first_ -= unsent_[whole].size();
      unsent_bytes_ -= unsent_[whole].size();
      ++whole;
    }
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(whole));
    if (unsent_bytes_ <= options_.unsent_bytes_max) wake_reader();
  }
  sending_ = false;
  if (unsent_bytes_ > sent_of_first_) {
    close();
  } else {
    unsent_.clear();
    unsent_bytes_ = sent_of_first_ = 0;
    flush();
    wake_reader();
  }
}

}  // namespace barnabas::net
