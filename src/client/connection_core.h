// ConnectionCore: the Connection over a Stream: what is under way, what waits to be written, who waits for an answer.
// Requests of one pass of the loop leave with one write; answers are cut from few reads and wake their callers in one
// go. One timer guards the deadlines of all requests, since a late answer blocks those behind it.
//
// Kept alive by its reader until it is closed; close() may come from anywhere on the loop.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/payload.h"
#include "client/connection.h"
#include "client/connection_answers.h"
#include "runtime/scope.h"
#include "runtime/stream.h"

namespace barnabas::client {

class ConnectionCore final : public Connection, public std::enable_shared_from_this<ConnectionCore> {
 public:
  ConnectionCore(runtime::World& world, runtime::Executor& loop, const ClientSettings& settings, Options options,
                 std::unique_ptr<runtime::Stream> stream);

  // Begins to read; once. `token` closes the connection.
  void start(const runtime::CancelToken& token);
  // ApiVersions, and SASL where the settings ask for it. Each step within `timeout`.
  runtime::Task<Result<>> negotiate(Duration timeout);

  const Options& options() const override { return options_; }
  bool closed() const override { return closed_; }
  const Error& why_closed() const override { return why_; }
  void close(Error why) override;
  runtime::Task<> ended() override;
  size_t in_flight() const override { return in_flight_.size() + held_.size(); }
  MonotonicTime last_used() const override { return last_used_; }
  wire::VersionRange api(int16_t key) const override;
  std::optional<int16_t> feature(std::string_view name) const override;

 protected:
  int32_t begin(wire::Writer& out, int16_t key, int16_t version, bool flexible) override;
  runtime::Task<Result<std::shared_ptr<const Buffer>>> exchange(wire::Writer request, int32_t correlation,
                                                                Duration timeout) override;
  runtime::Task<Result<>> push(wire::Writer request) override;

 private:
  // A request whose answer somebody waits for; lives in the waiter's frame.
  struct Waiting {
    int32_t correlation;
    int16_t key;
    MonotonicTime deadline;
    std::coroutine_handle<> waiter;
    Result<std::shared_ptr<const Buffer>> result;
  };
  // A request without an answer: done when so many bytes are with the kernel.
  struct Pushing {
    uint64_t position;
    std::coroutine_handle<> waiter;
    Result<> result;
  };
  // What may not be sent yet: one of the two waits.
  struct Held {
    std::vector<Payload> request;
    uint64_t bytes;
    Waiting* waiting;
    Pushing* pushing;
  };

  runtime::Task<> read_answers(std::shared_ptr<ConnectionCore> self);
  runtime::Task<> send_rest(std::shared_ptr<ConnectionCore> self);
  void deliver(std::shared_ptr<const Buffer> answer);
  void resume_later(std::coroutine_handle<> waiter);
  void queue(std::vector<Payload> request, uint64_t bytes);
  void schedule_flush();
  void flush();
  void written(uint64_t bytes);
  void guard(MonotonicTime deadline);
  void check_deadlines();
  // The stream failed or ended.
  void lost(const barnabas::Error& why);
  void refuse(std::string what);

  // Negotiation.
  runtime::Task<Result<>> learn_versions(Duration timeout);
  runtime::Task<Result<>> authenticate(Duration timeout);
  runtime::Task<> authenticate_again(std::shared_ptr<ConnectionCore> self);
  void schedule_authentication(int64_t lifetime_ms);
  void release_held();
  Error foreign(BytesView first) const;

  runtime::World& world_;
  runtime::Executor& loop_;
  const Options options_;
  const std::string client_id_;
  const SecurityProtocol security_;
  const SaslSettings sasl_;
  const int64_t request_timeout_ms_;
  std::unique_ptr<runtime::Stream> stream_;
  runtime::Scope scope_;  // the reader, the sender, authentication
  std::optional<runtime::CancelCallback> on_cancel_;
  bool closed_ = false;
  Error why_;
  MonotonicTime last_used_;

  int32_t next_correlation_ = 1;
  int16_t begun_key_ = -1;
  std::deque<Waiting*> in_flight_;
  AnswerBuffer answers_;
  uint64_t answers_seen_ = 0;
  uint64_t negotiation_answers_ = 0;  // of those, how many came before the connection was ready
  std::vector<std::coroutine_handle<>> ready_;

  std::vector<Payload> out_;
  uint64_t out_bytes_ = 0;      // of out_, those sent of its first included
  uint64_t sent_of_first_ = 0;  // bytes of out_ that are with the kernel
  uint64_t queued_total_ = 0;
  uint64_t sent_total_ = 0;
  std::deque<Pushing*> pushing_;
  bool flush_scheduled_ = false;
  bool sending_ = false;

  // While authentication is under way again, other requests wait here.
  bool hold_ = false;
  std::deque<Held> held_;

  runtime::TimerId deadline_timer_ = 0;
  MonotonicTime deadline_at_{};
  runtime::TimerId authentication_timer_ = 0;

  std::vector<wire::VersionRange> versions_;  // by API key
  std::map<std::string, int16_t, std::less<>> features_;
};

}  // namespace barnabas::client
