#include "barnabas/producer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>

#include "barnabas/admin.h"
#include "cli/escapes.h"
#include "cli/invocation.h"
#include "cli/offset_choice.h"
#include "cli/produce_input.h"
#include "cli/record_progress.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::Error;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kSlice{200};         // how long a wait lasts before Ctrl-C is looked for
constexpr milliseconds kAfterCtrlC{5000};   // what is under way may still arrive
constexpr milliseconds kForCreation{3000};  // of a topic by the broker
constexpr size_t kFailuresTold = 10;

// What became of the records. Told by the client's thread.
class Tally {
 public:
  explicit Tally(const ProduceInput& input) : input_(input) {}

  void taken(uint64_t bytes) {
    ++taken_;
    bytes_ += bytes;
  }
  void report(const client::DeliveryReport& report) {
    if (report.error == nullptr) {
      delivered_ += report.tags.size();
      return;
    }
    for (uint64_t tag : report.tags) fail(tag, *report.error);
  }
  // Of a record the producer has, or never took.
  void fail(uint64_t tag, const Error& error) {
    std::lock_guard lock(mutex_);
    if (silent_) return;
    ++failed_;
    if (error.fatal || error.kind == Error::Kind::kAuthentication || hopeless(error.code)) hopeless_ = true;
    if (failed_ > kFailuresTold) return;
    std::string name = error.code == client::ErrorCode::kNone
                           ? ""
                           : fmt::format(" ({}, {})", error.name(), static_cast<int>(error.code));
    fmt::print(stderr, "{}barnabas: {}: {}{}\n", stderr_is_terminal() ? "\r\x1b[K" : "", input_.name_of(tag),
               error.message.empty() ? std::string(error.name()) : error.message, name);
  }
  void fail(uint64_t tag, const std::string& why) { fail(tag, Error{.message = why}); }
  // From now on the producer gives up what is left: told as a number, not record by record.
  void be_silent() {
    std::lock_guard lock(mutex_);
    silent_ = true;
  }

  uint64_t taken() const { return taken_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t delivered() const { return delivered_; }
  uint64_t failed() const { return failed_; }
  bool hopeless() const { return hopeless_; }

 private:
  // The next record will be refused too.
  static bool hopeless(client::ErrorCode code) {
    using client::ErrorCode;
    return code == ErrorCode::kTopicAuthorizationFailed || code == ErrorCode::kClusterAuthorizationFailed ||
           code == ErrorCode::kTransactionalIdAuthorizationFailed || code == ErrorCode::kInvalidTopicException;
  }

  const ProduceInput& input_;
  std::mutex mutex_;
  bool silent_ = false;
  std::atomic<uint64_t> taken_ = 0, bytes_ = 0, delivered_ = 0, failed_ = 0;
  std::atomic<bool> hopeless_ = false;
};

std::expected<ProduceFormat, std::string> format_of(const Invocation& call) {
  ProduceFormat format;
  std::string input = call.value("input");
  format.kind = input == "json"   ? ProduceFormat::Kind::kJson
                : input == "file" ? ProduceFormat::Kind::kFile
                                  : ProduceFormat::Kind::kLines;
  if (auto delimiter = call.optional("delimiter")) {
    auto bytes = unescape(*delimiter);
    if (!bytes || bytes->empty())
      return std::unexpected("--delimiter: " + (bytes ? "want at least one character" : bytes.error()));
    format.delimiter = *bytes;
  }
  if (call.has("null")) format.delimiter = std::string(1, '\0');
  if (auto delimiter = call.optional("key-delimiter")) {
    auto bytes = unescape(*delimiter);
    if (!bytes || bytes->empty())
      return std::unexpected("--key-delimiter: " + (bytes ? "want at least one character" : bytes.error()));
    format.key_delimiter = *bytes;
  }
  format.key = call.optional("key");
  for (const std::string& header : call.values("header")) {
    auto parts = key_value(header);
    if (!parts) return std::unexpected(fmt::format("--header {}: want NAME=VALUE", header));
    format.headers.push_back(*std::move(parts));
  }
  if (call.has("partition")) {
    auto partition = call.number("partition", 0, INT32_MAX);
    if (!partition) return std::unexpected(partition.error().message);
    format.partition = static_cast<int32_t>(*partition);
  }
  if (auto text = call.optional("timestamp")) {
    auto now = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    format.timestamp = parse_time_ms(text->starts_with('@') ? text->substr(1) : *text, now);
    if (!format.timestamp)
      return std::unexpected(
          fmt::format("--timestamp {}: want a time, as 2026-11-01T12:00:00Z, -1h or milliseconds", *text));
  }
  format.null_empty = call.has("null-empty");
  format.own_partitions = !call.has("repartition");
  return format;
}

// How long a record may wait before it is given up, unless the configuration says so.
constexpr const char* kMaxBlock = "max.block.ms";

client::Result<client::Config> config_of(Invocation& call) {
  auto config = call.client_config();
  if (!config) return config;
  if (call.has("compression")) config->set("compression.type", call.value("compression"));
  if (call.has("acks")) config->set("acks", call.value("acks"));
  if (call.has("timeout")) {
    auto timeout = call.duration_ms("timeout");
    if (!timeout) return std::unexpected(timeout.error());
    // A batch has linger.ms and a request in it.
    if (config->find("delivery.timeout.ms") == nullptr)
      config->set("delivery.timeout.ms", std::to_string(*timeout + 1000));
    if (config->find(kMaxBlock) == nullptr) config->set(kMaxBlock, std::to_string(*timeout));
  }
  return config;
}

// The partitions of the topic, or 0: it was told why records cannot go there, now rather than after a minute. Brokers
// that create topics may.
int32_t find_topic(Invocation& call, client::Producer& producer, const std::string& topic) {
  client::Admin* admin = call.admin();
  if (!admin) return 0;
  auto described = admin->describe_topics({topic}).get();
  if (!described) {
    call.fail(described.error());
    return 0;
  }
  auto& found = described->at(topic);
  if (found) return static_cast<int32_t>(found->partitions.size());
  bool unknown = found.error().code == client::ErrorCode::kUnknownTopicOrPartition;
  if (unknown) {
    auto deadline = Clock::now() + kForCreation;
    while (Clock::now() < deadline) {
      auto created = producer.partitions_for(topic).get();  // for max.block.ms
      if (created) return static_cast<int32_t>(created->size());
      if (!created.error().retriable) break;
    }
  }
  Error error = found.error();
  if (unknown)
    error.message = fmt::format("topic {} does not exist; `barnabas topic create {}` makes it", topic, topic);
  call.fail(error, "topic " + topic);
  return 0;
}

class Run {
 public:
  Run(Invocation& call, const ProduceFormat& format, const client::Config& config)
      : call_(call),
        topic_(call.value("topic")),
        input_(format, call.values("file"), interrupt_),
        maker_(format),
        tally_(input_),
        config_(config),
        progress_("sent", std::nullopt, !call.has("quiet")) {}

  int run() {
    auto patience = block_limit();
    bool transaction = config_.find("transactional.id") != nullptr;
    // Short, to look for Ctrl-C in between; the calls of a transaction need their time in one piece.
    if (!transaction) config_.set(kMaxBlock, std::to_string(kSlice.count()));
    auto made = client::Producer::create(
        config_, {.on_delivery = [this](const client::DeliveryReport& report) { tally_.report(report); }});
    if (!made) return call_.fail(made.error());
    client::Producer producer = *std::move(made);
    partitions_ = find_topic(call_, producer, topic_);
    if (partitions_ == 0) return call_.exit_code();
    if (transaction) {
      auto begun = producer.init_transactions().get();
      if (begun) begun = producer.begin_transaction();
      if (!begun) return call_.fail(begun.error());
    }
    auto begin = Clock::now();
    send_all(producer, patience);
    finish(producer);
    if (transaction) end_transaction(producer);
    tally_.be_silent();
    (void)producer.close(interrupt_.asked() || gave_up_ ? milliseconds(0) : milliseconds::max());
    summarize(std::chrono::duration<double>(Clock::now() - begin).count());
    return call_.exit_code();
  }

 private:
  milliseconds block_limit() const {
    int64_t limit = 60000;
    if (const std::string* set = config_.find(kMaxBlock)) limit = parse_duration_ms(*set).value_or(limit);
    return milliseconds(limit);
  }

  void send_all(client::Producer& producer, milliseconds patience) {
    while (!interrupt_.asked() && !tally_.hopeless()) {
      auto bytes = input_.next();
      if (!bytes) {
        progress_.clear();
        call_.item_failed(Error{.kind = Error::Kind::kIo, .message = bytes.error()}, {});
        return;
      }
      if (!*bytes) return;
      auto record = maker_.make(topic_, **bytes);
      if (!record) {
        tally_.fail(input_.tag(), record.error());
        continue;
      }
      if (record->partition && *record->partition >= partitions_) {
        tally_.fail(input_.tag(),
                    fmt::format("topic {} has no partition {}; it has {}", topic_, *record->partition, partitions_));
        continue;
      }
      if (!send(producer, *record, patience)) return;
      progress_.update(tally_.delivered(), tally_.bytes());
    }
  }

  // False: no use to go on.
  bool send(client::Producer& producer, const client::ProducerRecord& record, milliseconds patience) {
    uint64_t size = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
    auto deadline = Clock::now() + patience;
    while (true) {
      auto taken = producer.send_tagged(record, input_.tag());
      if (taken) {
        tally_.taken(size);
        return true;
      }
      bool later = taken.error().kind == Error::Kind::kTimedOut;
      if (later && interrupt_.asked()) return false;
      if (later && Clock::now() < deadline) continue;
      tally_.fail(input_.tag(), taken.error());
      gave_up_ = later;
      return !later;
    }
  }

  // Waits for what was taken.
  void finish(client::Producer& producer) {
    auto flushed = producer.flush();
    auto deadline = Clock::time_point::max();
    while (true) {
      if ((interrupt_.asked() || gave_up_) && deadline == Clock::time_point::max())
        deadline = Clock::now() + kAfterCtrlC;
      if (flushed.get_for(kSlice) || Clock::now() > deadline) return;
      progress_.update(tally_.delivered(), tally_.bytes());
    }
  }

  void end_transaction(client::Producer& producer) {
    bool whole = tally_.failed() == 0 && call_.exit_code() == kDone && !interrupt_.asked();
    auto ended = whole ? producer.commit_transaction().get() : producer.abort_transaction().get();
    if (!ended) call_.item_failed(ended.error(), "transaction");
    if (!whole) call_.out().note("barnabas: the transaction was aborted: nothing of it can be read.");
  }

  void summarize(double seconds) {
    progress_.clear();
    uint64_t delivered = tally_.delivered(), failed = tally_.failed();
    uint64_t unsent = tally_.taken() - std::min(tally_.taken(), delivered + failed);
    bool cut_short = interrupt_.asked() && isatty(STDIN_FILENO) != 1;
    if (interrupt_.asked() && unsent == 0 && !call_.has("quiet")) {
      call_.out().note("barnabas: interrupted: what was read until then was sent.");
    }
    if (unsent > 0)
      call_.out().note(fmt::format("barnabas: {} records were not sent, or not confirmed.", thousands(unsent)));
    if (failed > kFailuresTold) {
      call_.out().note(fmt::format("barnabas: {} more records failed.", thousands(failed - kFailuresTold)));
    }
    if ((failed > 0 || unsent > 0 || cut_short) && call_.exit_code() == kDone) code_ = kFailed;
    Value result;
    result.add("topic", topic_).add("sent", delivered).add("failed", failed).add("unsent", unsent);
    result.add("bytes", tally_.bytes()).add("seconds", seconds);
    if (call_.has("output") && call_.out().format() != Format::kName) {
      call_.out().print("result", result, topic_);
    } else if (!call_.has("quiet")) {
      std::string size = human_bytes(static_cast<int64_t>(tally_.bytes()));
      call_.out().note(fmt::format("Sent {} record{}{} to {} in {:.1f} s.", thousands(delivered),
                                   delivered == 1 ? "" : "s",
                                   delivered == tally_.taken() ? fmt::format(" ({})", size) : "", topic_, seconds));
    }
  }

 public:
  int code() const { return code_; }

 private:
  Invocation& call_;
  std::string topic_;
  Interrupt interrupt_;
  ProduceInput input_;
  RecordMaker maker_;
  Tally tally_;
  client::Config config_;
  RecordProgress progress_;
  int32_t partitions_ = 0;
  bool gave_up_ = false;  // the cluster takes nothing more
  int code_ = kDone;
};

int produce(Invocation& call) {
  auto format = format_of(call);
  if (!format) return call.usage(format.error());
  if (format->kind == ProduceFormat::Kind::kFile && !format->key_delimiter.empty()) {
    return call.usage("--key-delimiter has no meaning with --input file; --key gives a key");
  }
  auto config = config_of(call);
  if (!config) return call.fail(config.error());
  Run run(call, *format, *config);
  int code = run.run();
  return code != kDone ? code : run.code();
}

constexpr std::string_view kText =
    "Standard input, or each --file in turn, is cut into records at every newline (--delimiter, --null). A record is "
    "a\n"
    "value; with --key-delimiter what stands before the first one is its key. An empty line is a record with an empty\n"
    "value, or with --null-empty a tombstone.\n"
    "\n"
    "--input json reads an object a line: "
    "{\"key\":\"a\",\"value\":\"b\",\"headers\":{\"h\":\"1\"},\"partition\":0,\"timestamp\":0},\n"
    "all but one of key and value optional. What `consume -o json` prints is read too, partitions and timestamps "
    "kept:\n"
    "one piped into the other copies a topic. Bytes that are not UTF-8 are base64, with "
    "\"value_encoding\":\"base64\".\n"
    "\n"
    "A record that fails is named on standard error, the others are sent, and the exit code is 1. With\n"
    "-X transactional.id=NAME all records are one transaction, aborted when one fails. Ctrl-C stops reading and waits\n"
    "some seconds for what is under way; a second one ends at once.";

}  // namespace

std::vector<Command> produce_commands() {
  return {{
      .path = "produce",
      .summary = "Send records to a topic, from standard input or files",
      .positionals = {{.name = "topic", .help = "name of the topic", .completes = Completes::kTopic}},
      .flags = {{.name = "file",
                 .letter = 'f',
                 .value = "FILE",
                 .help = "read this instead of standard input",
                 .repeated = true,
                 .completes = Completes::kFile},
                {.name = "input",
                 .letter = 'i',
                 .value = "KIND",
                 .help = "what the input is: lines, json (an object a line) or file (each file one record)",
                 .choices = {"lines", "json", "file"},
                 .default_value = "lines"},
                {.name = "delimiter",
                 .letter = 'D',
                 .value = "TEXT",
                 .help = "what ends a record, as '\\n' or ';;' or '\\x1e'; a newline when absent"},
                {.name = "null", .letter = '0', .help = "records end with a NUL byte, as of `find -print0`"},
                {.name = "key-delimiter",
                 .letter = 'K',
                 .value = "TEXT",
                 .help = "what stands between key and value, as : or '\\t'"},
                {.name = "key", .letter = 'k', .value = "KEY", .help = "key of records that have none"},
                {.name = "header",
                 .letter = 'H',
                 .value = "NAME=VALUE",
                 .help = "a header of each record",
                 .repeated = true},
                {.name = "partition", .letter = 'p', .value = "N", .help = "send all to this partition"},
                {.name = "timestamp", .value = "TIME", .help = "of each record; now when absent"},
                {.name = "null-empty", .letter = 'Z', .help = "an empty value is null: a tombstone"},
                {.name = "repartition", .help = "choose partitions anew for JSON records that name one"},
                {.name = "compression",
                 .letter = 'z',
                 .value = "CODEC",
                 .help = "of batches",
                 .choices = {"none", "gzip", "snappy", "lz4", "zstd"}},
                {.name = "acks",
                 .value = "WHO",
                 .help = "who confirms: all in-sync replicas, the leader (1), nobody (0)",
                 .choices = {"all", "-1", "1", "0"}},
                {.name = "quiet", .letter = 'q', .help = "no progress and no summary"}},
      .examples = {{"produce orders < orders.txt", "a record for each line"},
                   {"produce orders -K : -H source=manual", "type key:value lines"},
                   {"consume orders -o json -e | barnabas produce copy -i json", "copy a topic"},
                   {"produce images -i file -f a.png -f b.png -k holiday", "each file is a record"}},
      .text = kText,
      .run = produce,
  }};
}

}  // namespace barnabas::cli
