#include "client/producer/core.h"

#include <algorithm>

#include "client/producer/murmur2.h"
#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/sleep.h"
#include "runtime/world.h"
#include "wire/record_batch.h"

namespace barnabas::client {

using producer::Accumulator;
using producer::Partition;
using producer::RecordShape;
using producer::Topic;

namespace {

Error closed_error() {
  return {.kind = Error::Kind::kClosed, .message = "the producer is closed", .fatal = true};
}

Error no_room(int64_t max_block_ms) {
  bool at_once = max_block_ms == 0;
  return {.kind = at_once ? Error::Kind::kFull : Error::Kind::kTimedOut,
          .message = "buffer.memory is used up" +
                     (at_once ? std::string() : " and was not free within " + std::to_string(max_block_ms) + " ms"),
          .retriable = true};
}

Error too_large(size_t size, std::string_view key) {
  return {.kind = Error::Kind::kInvalidArgument,
          .code = static_cast<ErrorCode>(wire::KafkaError::kMessageTooLarge),
          .message = "the record has " + std::to_string(size) + " bytes, more than " + std::string(key) + " allows"};
}

constexpr Duration kWaitAtOnce = std::chrono::hours(24);

MonotonicTime after(MonotonicTime now, Milliseconds limit) {
  if (limit > std::chrono::hours(24 * 365)) return {INT64_MAX};
  return now + limit;
}

// Continues in the loop's queue, also when on the loop already: what runs now is not to be disturbed.
struct Posted {
  runtime::Executor& loop;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self) const {
    loop.post([self] { self.resume(); });
  }
  void await_resume() const {}
};

}  // namespace

// The record and what its views point to.
struct Producer::Core::Parked {
  ProducerRecord record;
  std::string text;
  std::vector<Header> headers;
  RecordShape shape;
  uint64_t tag;
  std::optional<Callback> callback;
  MonotonicTime deadline;

  Parked(const Accumulator::Item& item, MonotonicTime until)
      : record(item.record), shape(item.shape), tag(item.tag), deadline(until) {
    size_t size =
        record.topic.size() + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
    for (const Header& header : record.headers) size += header.key.size() + (header.value ? header.value->size() : 0);
    text.reserve(size);
    auto keep = [this](std::string_view view) {
      size_t at = text.size();
      text.append(view);
      return std::string_view(text).substr(at);
    };
    record.topic = keep(record.topic);
    if (record.key) record.key = keep(*record.key);
    if (record.value) record.value = keep(*record.value);
    for (const Header& header : record.headers) {
      headers.push_back({keep(header.key), {}});
      if (header.value) headers.back().value = keep(*header.value);
    }
    record.headers = headers;
    if (item.callback != nullptr) callback.emplace(std::move(*item.callback));
  }
  Parked(Parked&&) = delete;

  size_t size() const { return text.size() + sizeof(Parked); }
};

Producer::Core::Core(ProducerSettings settings, ProducerOptions options, std::shared_ptr<RuntimeLoop> runtime)
    : settings_(std::move(settings)),
      options_(std::move(options)),
      runtime_(std::move(runtime)),
      loop_(runtime_->loop()),
      scope_(loop_),
      cluster_(runtime_->world(), loop_, settings_),
      accumulator_(settings_, runtime_->world().clock, runtime_->world().random, [this] { wake(); }),
      sequencer_(settings_.idempotence, settings_.transactional_id.has_value()),
      transactions_(settings_.transactional_id
                        ? std::make_unique<producer::Transactions>(cluster_, settings_, sequencer_, scope_)
                        : nullptr),
      sender_({.cluster = cluster_,
               .settings = settings_,
               .options = options_,
               .accumulator = accumulator_,
               .topics = topics_,
               .sequencer = sequencer_,
               .scope = scope_,
               .gate = transactions_.get(),
               .after_pass = [this] { unpark(); },
               .owner = [this] { return std::shared_ptr<void>(weak_from_this().lock()); }}) {
  if (transactions_) transactions_->connect(sender_);
}

Producer::Core::~Core() = default;

void Producer::Core::start() {
  loop_.post([self = shared_from_this()] {
    self->cluster_.on_metadata([core = self.get()](const auto& metadata) {
      if (!core->shut_) core->sender_.take_over(metadata);
    });
  });
}

void Producer::Core::wake() {
  if (woken_.exchange(true)) return;
  loop_.post([self = shared_from_this()] {
    self->woken_ = false;
    if (!self->shut_) self->sender_.run();
  });
}

// Sending.

std::optional<Error> Producer::Core::precheck(const ProducerRecord& record, const RecordShape& shape) const {
  if (accumulator_.closed()) return closed_error();
  if (auto stopped = sender_.why_stopped()) return stopped;
  if (transactions_) {
    if (auto may = transactions_->may_send(); !may) return may.error();
  }
  if (record.topic.empty()) return Error{.message = "the record has no topic"};
  if (record.partition && *record.partition < 0) return Error{.message = "the record's partition is negative"};
  if (record.timestamp && *record.timestamp < 0) return Error{.message = "the record's timestamp is negative"};
  size_t size = wire::kBatchOverhead + shape.upper_bound();
  if (size > static_cast<size_t>(settings_.max_request_bytes)) return too_large(size, "max.request.size");
  if (size > accumulator_.memory_limit()) return too_large(size, "buffer.memory");
  return std::nullopt;
}

Result<Producer::Core::Route> Producer::Core::route(Topic& topic, const ProducerRecord& record) {
  const Topic::List* list = topic.partitions.load(std::memory_order_acquire);
  if (list == nullptr) return Route{};
  auto count = static_cast<int32_t>(list->size());
  auto to = [&](int32_t index) { return Route{(*list)[static_cast<size_t>(index)], false}; };
  if (record.partition) {
    if (*record.partition >= count) return Route{};  // it may have been added
    return to(*record.partition);
  }
  if (options_.partitioner) {
    std::vector<int32_t> available;
    {
      std::lock_guard lock(topic.mutex);
      available = topic.available;
    }
    auto chosen = options_.partitioner(
        {.topic = topic.name, .key = record.key, .value = record.value, .partitions = count, .available = available});
    if (chosen && (*chosen < 0 || *chosen >= count)) {
      return std::unexpected(Error{.message = "the partitioner chose partition " + std::to_string(*chosen) + " of " +
                                              topic.name + ", which has " + std::to_string(count)});
    }
    if (chosen) return to(*chosen);
  }
  if (settings_.round_robin_partitioner) {
    int32_t next = producer::to_positive(topic.round_robin.fetch_add(1, std::memory_order_relaxed));
    std::lock_guard lock(topic.mutex);
    if (topic.available.empty()) return to(next % count);
    return to(topic.available[static_cast<size_t>(next) % topic.available.size()]);
  }
  if (record.key && !settings_.partitioner_ignore_keys) return to(partition_for_key(*record.key, count));
  int32_t sticky = accumulator_.sticky_partition(topic);
  if (sticky < 0) return Route{};
  Route route = to(sticky);
  route.sticky = true;
  return route;
}

Producer::Core::Attempt Producer::Core::attempt(Topic& topic, Accumulator::Item& item, Error& refusal) {
  while (true) {
    auto chosen = route(topic, item.record);
    if (!chosen) {
      refusal = chosen.error();
      return Attempt::kRefused;
    }
    if (chosen->partition == nullptr) return Attempt::kUnknownTopic;
    switch (accumulator_.append(*chosen->partition, chosen->sticky, item)) {
      case Accumulator::Outcome::kTaken:
        return Attempt::kTaken;
      case Accumulator::Outcome::kMoved:
        continue;
      case Accumulator::Outcome::kNoRoom:
        return Attempt::kNoRoom;
      case Accumulator::Outcome::kClosed:
        refusal = closed_error();
        return Attempt::kRefused;
    }
  }
}

Result<> Producer::Core::send(const ProducerRecord& given, uint64_t tag, Callback* callback) {
  ProducerRecord changed;
  if (!options_.interceptors.empty()) {
    changed = given;
    for (const ProducerInterceptor& interceptor : options_.interceptors) {
      if (interceptor.on_send) interceptor.on_send(changed);
    }
  }
  auto sent = send_checked(options_.interceptors.empty() ? given : changed, tag, callback);
  // As Kafka's own: a transaction that lost a record on the way in cannot be committed.
  if (!sent && transactions_) transactions_->send_failed(sent.error());
  return sent;
}

Result<> Producer::Core::send_checked(const ProducerRecord& record, uint64_t tag, Callback* callback) {
  Accumulator::Item item{.record = record, .shape = RecordShape(record), .tag = tag, .callback = callback};
  if (auto wrong = precheck(record, item.shape)) return std::unexpected(*wrong);
  Topic& topic = topics_.find_or_add(record.topic);
  Error refusal;
  // Behind what waits on the loop already, so that order holds.
  Attempt made = Attempt::kNoRoom;
  if (!behind_parked()) made = attempt(topic, item, refusal);
  if (made == Attempt::kTaken) [[likely]]
    return {};
  if (made == Attempt::kRefused) return std::unexpected(refusal);
  if (runtime_->waiting_forbidden()) return park(item);
  return send_blocking(topic, item, made);
}

Result<> Producer::Core::send_blocking(Topic& topic, Accumulator::Item& item, Attempt made) {
  runtime::Clock& clock = runtime_->world().clock;
  MonotonicTime deadline = after(clock.now(), Milliseconds(settings_.max_block_ms));
  Error refusal;
  while (made != Attempt::kTaken) {
    Duration left = deadline - clock.now();
    if (made == Attempt::kRefused) return std::unexpected(refusal);
    if (made == Attempt::kNoRoom) {
      // The loop sends what is open when somebody waits; if it has requests under way it comes by on its own.
      size_t size = accumulator_.room_needed(item.shape);
      accumulator_.memory().begin_want();
      if (sender_.requests_in_flight() == 0) wake();
      bool room = left.count() > 0 && accumulator_.memory().wait_for_room(size, std::min(left, kWaitAtOnce));
      accumulator_.memory().end_want();
      if (!room && left < kWaitAtOnce) return std::unexpected(no_room(settings_.max_block_ms));
      if (accumulator_.closed()) return std::unexpected(closed_error());
    } else {
      auto learned =
          on_loop<void>([name = topic.name, partition = item.record.partition, deadline](Core& core, Promise<> done) {
            core.scope_.spawn(core.learn_topic(name, partition, deadline, std::move(done)));
          });
      auto known = learned.get();
      if (!known) return std::unexpected(known.error());
    }
    made = attempt(topic, item, refusal);
  }
  return {};
}

void Producer::Core::refuse(Callback& callback, const Error& error) {
  Result<RecordMetadata> result = std::unexpected(error);
  for (const ProducerInterceptor& interceptor : options_.interceptors) {
    if (interceptor.on_acknowledgement) interceptor.on_acknowledgement(result);
  }
  callback(std::move(result));
}

runtime::Task<> Producer::Core::learn_topic(std::string name, std::optional<int32_t> partition, MonotonicTime deadline,
                                            Promise<> done) {
  sender_.track(topics_.find_or_add(name));
  for (int attempt = 0;; ++attempt) {
    auto known = co_await cluster_.topic(name, deadline);
    if (!known) {
      done.set(std::unexpected(known.error()));
      co_return;
    }
    if (shut_) co_return;
    Topic& topic = topics_.find_or_add(name);
    sender_.take_over(topic, **known);
    auto count = static_cast<int32_t>((*known)->partitions.size());
    if (count > partition.value_or(0)) break;
    auto slept = co_await cluster_.back_off(attempt, deadline);
    if (!slept) {
      Error error{.kind = Error::Kind::kTimedOut,
                  .message = "partition " + std::to_string(partition.value_or(0)) + " of topic " + name +
                             " with partition count " + std::to_string(count) + " is not present in metadata after " +
                             std::to_string(settings_.max_block_ms) + " ms",
                  .retriable = true};
      done.set(std::unexpected(error));
      co_return;
    }
    auto refreshed = co_await cluster_.refresh(deadline);
    static_cast<void>(refreshed);
  }
  done.set({});
}

template <class T, class Start>
Future<T> Producer::Core::on_loop(Start start) {
  Promise<T> done;
  Future<T> future = done.future();
  loop_.post([self = shared_from_this(), start = std::move(start), done = std::move(done)]() mutable {
    if (self->shut_) return done.set(std::unexpected(closed_error()));
    start(*self, std::move(done));
  });
  return future;
}

// Sends on a client's thread: ours, or that of another client.

bool Producer::Core::behind_parked() const {
  if (parked_count_.load(std::memory_order_relaxed) == 0 || !runtime_->waiting_forbidden()) return false;
  return !loop_.is_current() || !unparking_;
}

Result<> Producer::Core::park(const Accumulator::Item& item) {
  if (settings_.max_block_ms == 0) return std::unexpected(no_room(0));
  if (parked_bytes_ > accumulator_.memory_limit()) return std::unexpected(no_room(0));
  MonotonicTime deadline = after(runtime_->world().clock.now(), Milliseconds(settings_.max_block_ms));
  std::list<Parked> one;
  one.emplace_back(item, deadline);
  parked_bytes_ += one.back().size();
  ++parked_count_;
  if (loop_.is_current()) {
    take_parked(std::move(one));
  } else {
    loop_.post([self = shared_from_this(), one = std::move(one)]() mutable { self->take_parked(std::move(one)); });
  }
  return {};
}

void Producer::Core::take_parked(std::list<Parked> parked) {
  if (parked_.empty()) accumulator_.memory().begin_want();
  parked_.splice(parked_.end(), parked);
  if (accumulator_.closed()) return unpark();  // closing may be over: nobody comes by any more
  set_parked_timer();
  wake();
}

void Producer::Core::set_parked_timer() {
  if (parked_timer_ != 0 || parked_.empty()) return;
  parked_timer_ = loop_.schedule(parked_.front().deadline, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->parked_timer_ = 0;
    self->unpark();
  });
}

void Producer::Core::unpark() {
  if (parked_.empty() || unparking_) return;
  unparking_ = true;
  MonotonicTime now = loop_.clock().now();
  std::vector<Topic*> held_up;
  bool full = false;
  for (auto at = parked_.begin(); at != parked_.end();) {
    Parked& parked = *at;
    Topic& topic = topics_.find_or_add(parked.record.topic);
    Error refusal;
    Attempt made = Attempt::kNoRoom;
    if (accumulator_.closed()) {
      refusal = closed_error();
      made = Attempt::kRefused;
    } else if (!full && std::ranges::find(held_up, &topic) == held_up.end()) {
      Accumulator::Item item{.record = parked.record,
                             .shape = parked.shape,
                             .tag = parked.tag,
                             .callback = parked.callback ? &*parked.callback : nullptr};
      made = attempt(topic, item, refusal);
    }
    if (made == Attempt::kUnknownTopic) {
      held_up.push_back(&topic);
      if (topic.refusal) {
        refusal = *topic.refusal;
        made = Attempt::kRefused;
      } else if (!topic.being_learned) {
        topic.being_learned = true;
        scope_.spawn(learn_for_parked(topic.name, parked.record.partition, parked.deadline));
      }
    } else if (made == Attempt::kNoRoom && held_up.empty()) {
      full = true;
    }
    if (made != Attempt::kTaken && made != Attempt::kRefused && parked.deadline <= now) {
      refusal = no_room(settings_.max_block_ms);
      made = Attempt::kRefused;
    }
    if (made == Attempt::kTaken || made == Attempt::kRefused) {
      if (made == Attempt::kRefused) report_parked(parked, refusal);
      parked_bytes_ -= parked.size();
      --parked_count_;
      at = parked_.erase(at);
    } else {
      ++at;
    }
  }
  for (Topic* topic : held_up) topic->refusal.reset();
  if (parked_.empty()) accumulator_.memory().end_want();
  unparking_ = false;
  set_parked_timer();
}

runtime::Task<> Producer::Core::learn_for_parked(std::string name, std::optional<int32_t> partition,
                                                 MonotonicTime deadline) {
  Promise<> done;
  runtime::Completion<Result<>> learned;
  done.future().then([learned](Result<> result) { learned.set(std::move(result)); });
  co_await learn_topic(name, partition, deadline, std::move(done));
  Topic& topic = topics_.find_or_add(name);
  topic.being_learned = false;
  auto result = co_await learned.wait(loop_);
  if (result && !*result) topic.refusal = result->error();
  if (!shut_) unpark();
}

void Producer::Core::report_parked(Parked& parked, const Error& error) {
  if (parked.callback) return refuse(*parked.callback, error);
  if (!options_.on_delivery) return;
  DeliveryReport report;
  report.topic = parked.record.topic;
  report.partition = parked.record.partition.value_or(-1);
  report.tags = std::span(&parked.tag, 1);
  report.error = &error;
  options_.on_delivery(report);
}

// Everything else.

Future<> Producer::Core::flush() {
  return on_loop<void>([](Core& core, Promise<> done) { core.sender_.flush(std::move(done)); });
}

Future<std::vector<Producer::PartitionInfo>> Producer::Core::partitions_for(std::string topic) {
  return on_loop<std::vector<PartitionInfo>>(
      [topic = std::move(topic)](Core& core, Promise<std::vector<PartitionInfo>> done) {
        core.scope_.spawn(core.tell_partitions(topic, std::move(done)));
      });
}

runtime::Task<> Producer::Core::tell_partitions(std::string name, Promise<std::vector<PartitionInfo>> done) {
  sender_.track(topics_.find_or_add(name));  // so that brokers that create topics create it, as for send()
  auto known = co_await cluster_.topic(name, cluster_.deadline_in(settings_.max_block_ms));
  if (!known) {
    done.set(std::unexpected(known.error()));
    co_return;
  }
  std::vector<PartitionInfo> all;
  for (const PartitionMetadata& partition : (*known)->partitions) {
    PartitionInfo info;
    info.partition = static_cast<int32_t>(all.size());
    if (partition.leader >= 0) info.leader = partition.leader;
    info.replicas = partition.replicas;
    info.in_sync_replicas = partition.in_sync_replicas;
    all.push_back(std::move(info));
  }
  done.set(std::move(all));
}

namespace {
Error not_transactional() {
  return {.message = "transactions need the configuration transactional.id"};
}
}  // namespace

runtime::Task<> Producer::Core::settle_transaction(runtime::Task<Result<>> work, Promise<> done) {
  auto result = co_await std::move(work);
  done.set(std::move(result));
}

Future<> Producer::Core::init_transactions() {
  if (!transactions_) return ready_future<void>(std::unexpected(not_transactional()));
  if (auto may = transactions_->enter_initializing(); !may) return ready_future<void>(std::move(may));
  return on_loop<void>([](Core& core, Promise<> done) {
    core.scope_.spawn(core.settle_transaction(core.transactions_->initialize(), std::move(done)));
  });
}

Result<> Producer::Core::begin_transaction() {
  if (!transactions_) return std::unexpected(not_transactional());
  return transactions_->begin();
}

Future<> Producer::Core::send_offsets(std::map<TopicPartition, OffsetAndMetadata> offsets,
                                      ConsumerGroupMetadata group) {
  if (!transactions_) return ready_future<void>(std::unexpected(not_transactional()));
  if (auto may = transactions_->may_add_offsets(); !may) return ready_future<void>(std::move(may));
  return on_loop<void>([offsets = std::move(offsets), group = std::move(group)](Core& core, Promise<> done) {
    core.scope_.spawn(core.settle_transaction(core.transactions_->send_offsets(offsets, group), std::move(done)));
  });
}

Future<> Producer::Core::commit_transaction() {
  if (!transactions_) return ready_future<void>(std::unexpected(not_transactional()));
  if (auto may = transactions_->enter_committing(); !may) return ready_future<void>(std::move(may));
  return on_loop<void>([](Core& core, Promise<> done) {
    core.scope_.spawn(core.settle_transaction(core.transactions_->commit(), std::move(done)));
  });
}

Future<> Producer::Core::abort_transaction() {
  if (!transactions_) return ready_future<void>(std::unexpected(not_transactional()));
  if (auto may = transactions_->enter_aborting(); !may) return ready_future<void>(std::move(may));
  return on_loop<void>([](Core& core, Promise<> done) {
    core.scope_.spawn(core.settle_transaction(core.transactions_->abort(), std::move(done)));
  });
}

// Closing.

Result<> Producer::Core::close(Milliseconds limit) {
  std::shared_ptr<detail::FutureState<void>> closed;
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (!closed_) {
      closed_ = std::make_shared<detail::FutureState<void>>();
      first = true;
    }
    closed = closed_;
  }
  if (first) {
    accumulator_.close();
    auto ended = shut_down(shared_from_this(), limit, closed);
    static_cast<void>(ended);
  }
  // Nobody waits for a loop on a loop; closing goes on without the object.
  if (runtime_->waiting_forbidden()) return {};
  closed->wait(std::nullopt);
  return {};
}

runtime::Task<bool> Producer::Core::flush_until(MonotonicTime deadline) {
  runtime::Completion<bool> done;
  Promise<> flushed;
  flushed.future().then([done](Result<>) { done.set(true); });
  sender_.flush(std::move(flushed));
  runtime::CancelSource late;
  runtime::TimerId timer = 0;
  if (deadline.nanos != INT64_MAX) timer = loop_.schedule(deadline, [&late] { late.request(); });
  auto ended = co_await done.wait(loop_, late.token());
  if (timer != 0) loop_.cancel(timer);
  co_return ended.has_value();
}

Future<> Producer::Core::shut_down(std::shared_ptr<Core> self, Milliseconds limit,
                                   std::shared_ptr<detail::FutureState<void>> done) {
  co_await Posted{self->loop_};
  MonotonicTime deadline = after(self->loop_.clock().now(), limit);
  self->unpark();  // refuses what waits
  if (self->transactions_ && limit > Milliseconds(0) &&
      self->transactions_->state() == producer::Transactions::State::kInTransaction &&
      self->transactions_->enter_aborting()) {
    auto aborted = co_await self->transactions_->abort();
    static_cast<void>(aborted);
  }
  bool flushed = co_await self->flush_until(deadline);
  if (!flushed) self->sender_.fail_all(closed_error());
  self->shut_ = true;
  if (self->parked_timer_ != 0) self->loop_.cancel(self->parked_timer_);
  co_await self->cluster_.close();
  self->scope_.cancel();
  co_await self->scope_.join();
  self->sender_.fail_all(closed_error());
  self->sender_.end();
  done->set({});
  co_return Result<>{};
}

}  // namespace barnabas::client
