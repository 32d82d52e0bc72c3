#include "client/connection_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "client/cluster.h"
#include "client/connection_protocol.h"
#include "runtime/clock.h"
#include "wire/frame.h"

namespace barnabas::client {

namespace {

constexpr int16_t kSaslHandshake = 17;
constexpr int16_t kSaslAuthenticate = 36;
// Before a peer has shown that it is a broker, no answer is large.
constexpr size_t kFirstAnswerBytesMax = 1 << 20;

bool belongs_to_authentication(int16_t key) {
  return key == kSaslHandshake || key == kSaslAuthenticate;
}

std::string_view api_name(int16_t key) {
  const wire::ApiInfo* api = wire::find_api(key);
  return api ? api->name : "request";
}

// The length in front, and all segments.
std::vector<Payload> close_request(wire::Writer& request, uint64_t& bytes) {
  bytes = request.size();
  request.patch_int32({.segment = 0, .offset = 0}, static_cast<int32_t>(bytes - sizeof(int32_t)));
  return request.take();
}

// Suspends and tells where to resume.
struct Park {
  std::coroutine_handle<>& waiter;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self) const { waiter = self; }
  void await_resume() const {}
};

}  // namespace

ConnectionCore::ConnectionCore(runtime::World& world, runtime::Executor& loop, const ClientSettings& settings,
                               Options options, std::unique_ptr<runtime::Stream> stream)
    : world_(world),
      loop_(loop),
      options_(std::move(options)),
      client_id_(settings.client_id),
      security_(settings.security),
      sasl_(settings.sasl),
      request_timeout_ms_(settings.request_timeout_ms),
      stream_(std::move(stream)),
      scope_(loop),
      last_used_(loop.clock().now()),
      answers_(kFirstAnswerBytesMax) {}

void ConnectionCore::start(const runtime::CancelToken& token) {
  on_cancel_.emplace(token, [this] { close({.kind = Error::Kind::kClosed, .message = "the client was closed"}); });
  scope_.spawn(read_answers(shared_from_this()));
}

// ---- sending

int32_t ConnectionCore::begin(wire::Writer& out, int16_t key, int16_t version, bool flexible) {
  int32_t correlation = next_correlation_;
  next_correlation_ = correlation == INT32_MAX ? 1 : correlation + 1;
  begun_key_ = key;
  out.hole_int32();
  out.int16(key);
  out.int16(version);
  out.int32(correlation);
  out.nullable_string(client_id_, false);
  if (flexible) out.uvarint(0);
  return correlation;
}

runtime::Task<Result<std::shared_ptr<const Buffer>>> ConnectionCore::exchange(wire::Writer request, int32_t correlation,
                                                                              Duration timeout) {
  if (closed_) co_return std::unexpected(why_);
  last_used_ = loop_.clock().now();
  Waiting waiting{.correlation = correlation, .key = begun_key_, .deadline = last_used_ + timeout};
  uint64_t bytes = 0;
  auto parts = close_request(request, bytes);
  guard(waiting.deadline);
  if (hold_ && !belongs_to_authentication(waiting.key)) {
    held_.push_back({std::move(parts), bytes, &waiting, nullptr});
  } else {
    in_flight_.push_back(&waiting);
    queue(std::move(parts), bytes);
  }
  // What is waited for here may be the last thing that needs this connection.
  auto self = shared_from_this();
  co_await Park{waiting.waiter};
  co_return std::move(waiting.result);
}

runtime::Task<Result<>> ConnectionCore::push(wire::Writer request) {
  if (closed_) co_return std::unexpected(why_);
  last_used_ = loop_.clock().now();
  uint64_t bytes = 0;
  auto parts = close_request(request, bytes);
  Pushing pushing{};
  if (hold_) {
    held_.push_back({std::move(parts), bytes, nullptr, &pushing});
  } else {
    queue(std::move(parts), bytes);
    pushing.position = queued_total_;
    pushing_.push_back(&pushing);
  }
  auto self = shared_from_this();
  co_await Park{pushing.waiter};
  co_return std::move(pushing.result);
}

void ConnectionCore::queue(std::vector<Payload> request, uint64_t bytes) {
  if (out_.empty()) {
    out_ = std::move(request);
  } else {
    std::ranges::move(request, std::back_inserter(out_));
  }
  out_bytes_ += bytes;
  queued_total_ += bytes;
  schedule_flush();
}

void ConnectionCore::release_held() {
  hold_ = false;
  for (Held& held : std::exchange(held_, {})) {
    queue(std::move(held.request), held.bytes);
    if (held.waiting) {
      in_flight_.push_back(held.waiting);
    } else {
      held.pushing->position = queued_total_;
      pushing_.push_back(held.pushing);
    }
  }
}

void ConnectionCore::schedule_flush() {
  if (flush_scheduled_ || sending_) return;
  flush_scheduled_ = true;
  loop_.at_end_of_pass([self = shared_from_this()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void ConnectionCore::flush() {
  if (closed_ || sending_ || out_.empty()) return;
  auto wrote = stream_->try_write(out_, sent_of_first_);
  if (!wrote) {
    lost(wrote.error());
    return;
  }
  written(*wrote);
  if (out_.empty()) return;
  sending_ = true;
  scope_.spawn(send_rest(shared_from_this()));
}

runtime::Task<> ConnectionCore::send_rest([[maybe_unused]] std::shared_ptr<ConnectionCore> self) {
  while (!closed_ && !out_.empty()) {
    auto ready = co_await stream_->writable(scope_.token());
    if (closed_) break;
    if (!ready) {
      lost(ready.error());
      break;
    }
    auto wrote = stream_->try_write(out_, sent_of_first_);
    if (!wrote) {
      lost(wrote.error());
      break;
    }
    written(*wrote);
  }
  sending_ = false;
}

void ConnectionCore::written(uint64_t bytes) {
  sent_total_ += bytes;
  sent_of_first_ += bytes;
  if (sent_of_first_ == out_bytes_) {
    out_.clear();
    out_bytes_ = sent_of_first_ = 0;
  } else {
    // What is wholly sent frees its memory.
    size_t whole = 0;
    while (sent_of_first_ >= out_[whole].size()) {
      sent_of_first_ -= out_[whole].size();
      out_bytes_ -= out_[whole].size();
      ++whole;
    }
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(whole));
  }
  while (!pushing_.empty() && pushing_.front()->position <= sent_total_) {
    resume_later(pushing_.front()->waiter);
    pushing_.pop_front();
  }
}

// ---- receiving

runtime::Task<> ConnectionCore::read_answers([[maybe_unused]] std::shared_ptr<ConnectionCore> self) {
  while (!closed_) {
    auto answer = answers_.next();
    if (!answer) {
      close(answers_seen_ == 0
                ? foreign(answers_.unread())
                : Error{.kind = Error::Kind::kBadAnswer,
                        .message = fmt::format("{} sent {}", options_.to.to_string(), answer.error().message)});
      break;
    }
    if (*answer) {
      deliver(*std::move(answer));
      continue;
    }
    auto got = stream_->try_read(answers_.space());
    if (!got) {
      lost(got.error());
      break;
    }
    if (*got > 0) {
      answers_.received(*got);
      continue;
    }
    auto ready = co_await stream_->readable(scope_.token());
    if (!ready && !closed_) lost(ready.error());
  }
}

void ConnectionCore::deliver(std::shared_ptr<const Buffer> answer) {
  last_used_ = loop_.clock().now();
  auto correlation = load_be<int32_t>(answer->data());
  if (in_flight_.empty() || in_flight_.front()->correlation != correlation) {
    if (answers_seen_ == 0) {
      close(foreign(*answer));
    } else if (in_flight_.empty()) {
      refuse(fmt::format("an answer ({}) that nobody asked for", correlation));
    } else {
      refuse(fmt::format("answer {} where {} was next", correlation, in_flight_.front()->correlation));
    }
    return;
  }
  Waiting& waiting = *in_flight_.front();
  in_flight_.pop_front();
  ++answers_seen_;
  waiting.result = std::move(answer);
  resume_later(waiting.waiter);
}

void ConnectionCore::resume_later(std::coroutine_handle<> waiter) {
  ready_.push_back(waiter);
  if (ready_.size() > 1) return;
  loop_.post([self = shared_from_this()] {
    auto batch = std::exchange(self->ready_, {});
    for (std::coroutine_handle<> each : batch) each.resume();
  });
}

// ---- deadlines

void ConnectionCore::guard(MonotonicTime deadline) {
  if (deadline_timer_ != 0) {
    if (deadline_at_ <= deadline) return;
    loop_.cancel(deadline_timer_);
  }
  deadline_at_ = deadline;
  deadline_timer_ = loop_.schedule(deadline, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->check_deadlines();
  });
}

void ConnectionCore::check_deadlines() {
  deadline_timer_ = 0;
  const Waiting* first = nullptr;
  auto consider = [&first](const Waiting* waiting) {
    if (waiting && (!first || waiting->deadline < first->deadline)) first = waiting;
  };
  for (const Waiting* waiting : in_flight_) consider(waiting);
  for (const Held& held : held_) consider(held.waiting);
  if (closed_ || !first) return;
  if (first->deadline > loop_.clock().now()) {
    guard(first->deadline);
    return;
  }
  close({.kind = Error::Kind::kTimedOut,
         .code = ErrorCode::kRequestTimedOut,
         .message = fmt::format("{} did not answer {} in time", options_.to.to_string(), api_name(first->key)),
         .retriable = true});
}

// ---- the end

void ConnectionCore::lost(const barnabas::Error& why) {
  Error error{.kind = Error::Kind::kNotReachable, .code = ErrorCode::kNetworkException, .retriable = true};
  bool ended = why.code == barnabas::ErrorCode::kClosed;
  bool with_sasl = security_ == SecurityProtocol::kSaslPlaintext || security_ == SecurityProtocol::kSaslSsl;
  if (why.code == barnabas::ErrorCode::kDenied) {
    error.kind = Error::Kind::kAuthentication;
    error.code = ErrorCode::kNone;
    error.retriable = false;
    error.message = why.message;
  } else if (ended && answers_seen_ == 0) {
    error.message = fmt::format(
        "{} closed the connection without an answer: it may be no Kafka broker, or its listener may expect another "
        "security.protocol",
        options_.to.to_string());
  } else if (ended && !with_sasl && !in_flight_.empty() && answers_seen_ == negotiation_answers_) {
    error.message = fmt::format("{} closed the connection at the first request: its listener may expect SASL",
                                options_.to.to_string());
  } else {
    error.message = why.message;
  }
  close(std::move(error));
}

void ConnectionCore::refuse(std::string what) {
  close({.kind = Error::Kind::kBadAnswer, .message = fmt::format("{} sent {}", options_.to.to_string(), what)});
}

Error ConnectionCore::foreign(BytesView first) const {
  return {.kind = Error::Kind::kBadAnswer,
          .message = fmt::format("{}: {}", options_.to.to_string(), describe_foreign(first))};
}

void ConnectionCore::close(Error why) {
  if (closed_) return;
  closed_ = true;
  why_ = std::move(why);
  if (deadline_timer_ != 0) loop_.cancel(std::exchange(deadline_timer_, 0));
  if (authentication_timer_ != 0) loop_.cancel(std::exchange(authentication_timer_, 0));
  for (Waiting* waiting : std::exchange(in_flight_, {})) {
    waiting->result = std::unexpected(why_);
    resume_later(waiting->waiter);
  }
  for (Held& held : std::exchange(held_, {})) {
    if (held.waiting) {
      held.waiting->result = std::unexpected(why_);
      resume_later(held.waiting->waiter);
    } else {
      held.pushing->result = std::unexpected(why_);
      resume_later(held.pushing->waiter);
    }
  }
  for (Pushing* pushing : std::exchange(pushing_, {})) {
    pushing->result = std::unexpected(why_);
    resume_later(pushing->waiter);
  }
  out_.clear();
  out_bytes_ = sent_of_first_ = 0;
  scope_.cancel();
  stream_->close();
  if (options_.on_closed) options_.on_closed(why_);
}

runtime::Task<> ConnectionCore::ended() {
  auto self = shared_from_this();
  co_await scope_.join();
}

// ---- what the broker told

wire::VersionRange ConnectionCore::api(int16_t key) const {
  auto at = static_cast<size_t>(key);
  return key >= 0 && at < versions_.size() ? versions_[at] : wire::VersionRange{};
}

std::optional<int16_t> ConnectionCore::feature(std::string_view name) const {
  auto found = features_.find(name);
  if (found == features_.end()) return std::nullopt;
  return found->second;
}

}  // namespace barnabas::client
