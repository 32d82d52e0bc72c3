#include "barnabas/consumer.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

#include "barnabas/admin.h"
#include "cli/byte_sink.h"
#include "cli/consume_range.h"
#include "cli/interrupt.h"
#include "cli/invocation.h"
#include "cli/record_printer.h"
#include "cli/record_progress.h"
#include "cli/where.h"

namespace barnabas::cli {

namespace {

using client::ConsumerRecord;
using client::Error;
using client::TopicPartition;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kSlice{100};         // how long a poll waits before Ctrl-C is looked for
constexpr milliseconds kCommitEvery{5000};  // and at the end, and before a partition goes to another member

struct ConsumeOptions {
  ConsumeRange range;
  std::optional<std::string> group;
  bool follow = true;
  int64_t limit = INT64_MAX;
  std::optional<Where> where;
  bool read_committed = false;
  bool commit = true;
};

std::expected<ConsumeOptions, std::string> options_of(const Invocation& call) {
  ConsumeOptions options{.group = call.optional("group"), .read_committed = call.has("read-committed")};
  auto place = [&](const char* flag, const std::string& text) -> std::expected<OffsetChoice, std::string> {
    auto choice = OffsetChoice::parse(text);
    if (!choice) return std::unexpected(fmt::format("--{}: {}", flag, choice.error()));
    return choice;
  };
  if (call.has("tail") && call.has("from")) return std::unexpected("--tail and --from both say where to begin");
  if (call.has("tail")) {
    auto count = call.number("tail", 0, INT64_MAX);
    if (!count) return std::unexpected(count.error().message);
    options.range.from = {.kind = *count == 0 ? OffsetChoice::Kind::kEnd : OffsetChoice::Kind::kShift,
                          .number = -*count};
  } else {
    auto from = place("from", call.optional("from").value_or("start"));
    if (!from) return std::unexpected(from.error());
    options.range.from = *from;
  }
  if (call.has("to")) {
    auto to = place("to", call.value("to"));
    if (!to) return std::unexpected(to.error());
    options.range.to = *to;
  } else if (call.has("exit")) {
    options.range.to = OffsetChoice{.kind = OffsetChoice::Kind::kEnd};
  }
  options.follow = !options.range.to;
  for (const std::string& text : call.values("partition")) {
    int32_t partition = -1;
    auto [stopped, failed] = std::from_chars(text.data(), text.data() + text.size(), partition);
    if (failed != std::errc{} || stopped != text.data() + text.size() || partition < 0) {
      return std::unexpected(fmt::format("--partition {}: want a number", text));
    }
    options.range.partitions.insert(partition);
  }
  if (call.has("count")) {
    auto count = call.number("count", 0, INT64_MAX);
    if (!count) return std::unexpected(count.error().message);
    options.limit = *count;
  }
  if (auto text = call.optional("where")) {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    auto where = Where::parse(*text, std::chrono::duration_cast<milliseconds>(now).count());
    if (!where) return std::unexpected("--where: " + where.error());
    options.where = *std::move(where);
  }
  if (!options.group) return options;
  using Kind = OffsetChoice::Kind;
  bool edge = options.range.from.kind == Kind::kStart || options.range.from.kind == Kind::kEnd;
  if (!edge)
    return std::unexpected(
        "a group begins where it committed, else at --from start or end; `barnabas group reset` moves it");
  if (call.has("to")) return std::unexpected("--to has no meaning with --group; --exit ends at the end");
  if (!options.range.partitions.empty())
    return std::unexpected("the partitions of a member are given to it: --partition has no meaning with --group");
  return options;
}

client::Result<client::Config> config_of(Invocation& call, ConsumeOptions& options) {
  auto config = call.client_config();
  if (!config) return config;
  if (options.read_committed) config->set("isolation.level", "read_committed");
  const std::string* isolation = config->find("isolation.level");
  options.read_committed = isolation != nullptr && *isolation == "read_committed";
  const std::string* commits = config->find("enable.auto.commit");
  options.commit = commits == nullptr || *commits != "false";
  config->set("enable.auto.commit", "false");  // what was printed is committed, not what was fetched
  bool from_end = options.range.from.kind == OffsetChoice::Kind::kEnd;
  if (config->find("auto.offset.reset") == nullptr || call.has("from")) {
    config->set("auto.offset.reset", options.group && from_end ? "latest" : "earliest");
  }
  if (config->find("max.poll.records") == nullptr) config->set("max.poll.records", "5000");
  if (options.group) config->set("group.id", *options.group);
  return config;
}

class Run {
 public:
  Run(Invocation& call, ConsumeOptions options, std::unique_ptr<RecordPrinter> printer)
      : call_(call), options_(std::move(options)), printer_(std::move(printer)) {}

  int run() {
    auto config = config_of(call_, options_);
    if (!config) return call_.fail(config.error());
    client::Admin* admin = call_.admin();
    if (!admin) return call_.exit_code();
    auto topics = topics_meant(*admin, call_.values("topic"));
    if (!topics) return call_.fail(topics.error());
    auto plan = plan_range(*admin, *topics, options_.range, options_.read_committed);
    if (!plan) return call_.fail(plan.error());
    plan_ = *std::move(plan);
    auto made = client::Consumer::create(*config);
    if (!made) return call_.fail(made.error());
    consumer_.emplace(*std::move(made));
    printer_->begin(sink_.buffer());
    auto begun = options_.group ? subscribe(*topics) : assign();
    if (!begun) return call_.fail(begun.error());
    {
      RecordProgress progress("read", expected(), stderr_is_terminal() && !stdout_is_terminal() && !call_.has("quiet"));
      while (!over()) step(progress);
    }
    flush();
    if (options_.group) commit(written_);
    auto closed = consumer_->close();
    if (sink_.error() != 0) {
      return call_.fail(
          Error{.kind = Error::Kind::kIo, .message = fmt::format("standard output: {}", std::strerror(sink_.error()))});
    }
    if (!closed && closed.error().kind != Error::Kind::kCancelled) call_.item_failed(closed.error(), "closing");
    return call_.exit_code();
  }

 private:
  using Offsets = std::map<TopicPartition, client::OffsetAndMetadata>;

  client::Result<> assign() {
    std::vector<TopicPartition> partitions;
    for (const auto& [partition, range] : plan_) {
      if (range.from < range.to) partitions.push_back(partition);
    }
    open_ = partitions.size();
    if (partitions.empty()) return {};
    auto assigned = consumer_->assign(partitions);
    for (const auto& partition : partitions) {
      if (assigned) assigned = consumer_->seek(partition, plan_.at(partition).from);
    }
    return assigned;
  }

  client::Result<> subscribe(std::vector<std::string> topics) {
    client::RebalanceListener listener{
        .on_assigned = [this](std::span<const TopicPartition>) { joined_ = true; },
        .on_revoked =
            [this](std::span<const TopicPartition> partitions) {
              Offsets leaving;
              for (const auto& partition : partitions) {
                auto found = written_.extract(partition);
                if (found) leaving.insert(std::move(found));
              }
              commit(std::move(leaving));
            },
        .on_lost =
            [this](std::span<const TopicPartition> partitions) {
              for (const auto& partition : partitions) written_.erase(partition);
            },
    };
    auto names = call_.values("topic");
    if (names.size() == 1 && names[0].starts_with('^'))
      return consumer_->subscribe_pattern(names[0], std::move(listener));
    return consumer_->subscribe(std::move(topics), std::move(listener));
  }

  // How many records there are to read, when it is known.
  std::optional<int64_t> expected() const {
    if (options_.follow || options_.group) return std::nullopt;
    int64_t total = 0;
    for (const auto& [partition, range] : plan_) total += std::max<int64_t>(0, range.to - range.from);
    return total;
  }

  bool over() const {
    return finished_ || interrupt_.asked() || sink_.closed() || printed_ >= options_.limit ||
           (!options_.group && open_ == 0);
  }

  void step(RecordProgress& progress) {
    auto records = consumer_->poll(kSlice);
    if (!records) {
      const Error& error = records.error();
      if (error.kind == Error::Kind::kCancelled || (error.retriable && error.message == told_)) return;
      progress.clear();
      if (!error.retriable) {
        call_.item_failed(error, {});
        finished_ = true;
        return;
      }
      told_ = error.message;
      call_.out().note(fmt::format("barnabas: {}; trying again.", error.message));
      return;
    }
    print(*records);
    if (!flush()) return;
    progress.update(examined_, bytes_);
    if (records->empty()) look_around();
    if (options_.group && Clock::now() > next_commit_) {
      commit(written_);
      next_commit_ = Clock::now() + kCommitEvery;
    }
  }

  void print(const client::ConsumerRecords& records) {
    const ConsumerRecord* before = nullptr;
    PartitionRange* range = nullptr;
    auto finish_partition = [&] {
      if (before == nullptr || options_.group) return;
      if (before->offset + 1 >= range->to) close_partition({std::string(before->topic), before->partition});
    };
    for (const ConsumerRecord& record : records) {
      if (before == nullptr || record.partition != before->partition || record.topic != before->topic) {
        note_position(before);
        finish_partition();
        range = &plan_[TopicPartition{std::string(record.topic), record.partition}];
      }
      before = &record;
      if (!options_.group && record.offset >= range->to) continue;
      ++examined_;
      bytes_ += (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
      if (options_.where && !options_.where->matches(record)) continue;
      printer_->append(sink_.buffer(), record);
      ++printed_;
      if (sink_.large() && !sink_.flush()) return;
      if (printed_ >= options_.limit) break;
    }
    note_position(before);
    finish_partition();
  }

  void note_position(const ConsumerRecord* last) {
    if (last == nullptr || !options_.group) return;
    auto& offset = pending_[TopicPartition{std::string(last->topic), last->partition}];
    offset.offset = last->offset + 1;
    if (last->leader_epoch >= 0) offset.leader_epoch = last->leader_epoch;
  }

  // Positions count only once what was before them is written.
  bool flush() {
    if (!sink_.flush()) return false;
    for (auto& [partition, offset] : pending_) written_[partition] = offset;
    pending_.clear();
    return true;
  }

  void close_partition(const TopicPartition& partition) {
    PartitionRange& range = plan_.at(partition);
    if (range.closed) return;
    range.closed = true;
    --open_;
    (void)consumer_->pause({{partition}});
  }

  // Nothing came for a while: the end of a range may be a gap, the end of the topic is worth telling, and the other
  // end of the pipe may be gone.
  void look_around() {
    pollfd out{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    if (poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLNVAL)) != 0) finished_ = true;
    if (options_.group) {
      bool at_end = joined_ && all_read();
      if (at_end && !options_.follow) finished_ = true;
      if (at_end && options_.follow) tell_end();
      return;
    }
    if (options_.follow) {
      if (all_read()) tell_end();
      return;
    }
    for (auto& [partition, range] : plan_) {
      if (range.closed || range.from >= range.to) continue;
      auto position = consumer_->position(partition).get_for(kSlice);
      if (position && *position && **position >= range.to) close_partition(partition);
    }
  }

  bool all_read() const {
    return std::ranges::all_of(consumer_->assignment(),
                               [&](const TopicPartition& partition) { return consumer_->current_lag(partition) == 0; });
  }

  void tell_end() {
    if (told_end_ || call_.has("quiet") || !stderr_is_terminal()) return;
    told_end_ = true;
    call_.out().note("barnabas: that is all there is now; waiting for more. Ctrl-C ends, --exit does not wait.");
  }

  void commit(Offsets offsets) {
    if (offsets.empty() || !options_.commit) return;
    std::erase_if(offsets, [&](const auto& entry) {
      auto found = committed_.find(entry.first);
      return found != committed_.end() && found->second == entry.second;
    });
    if (offsets.empty()) return;
    auto done = consumer_->commit(offsets).get();
    if (done) {
      for (auto& [partition, offset] : offsets) committed_[partition] = offset;
    } else if (!done.error().retriable || interrupt_.asked() || finished_) {
      call_.item_failed(done.error(), fmt::format("committing for group {}", *options_.group));
    }
  }

  Invocation& call_;
  ConsumeOptions options_;
  std::unique_ptr<RecordPrinter> printer_;
  Interrupt interrupt_;
  ByteSink sink_;
  std::map<TopicPartition, PartitionRange> plan_;
  std::optional<client::Consumer> consumer_;
  size_t open_ = 0;  // partitions whose range is not read to its end
  int64_t printed_ = 0;
  uint64_t examined_ = 0, bytes_ = 0;
  bool finished_ = false, joined_ = false, told_end_ = false;
  std::string told_;
  Offsets pending_, written_, committed_;
  Clock::time_point next_commit_ = Clock::now() + kCommitEvery;
};

int consume(Invocation& call) {
  auto options = options_of(call);
  if (!options) return call.usage(options.error());
  auto printer = make_record_printer(call);
  if (!printer) return call.usage(printer.error());
  return Run(call, *std::move(options), *std::move(printer)).run();
}

constexpr std::string_view kText =
    "Prints the values of records, one a line, from the start of the topics, and then waits for more until Ctrl-C, as\n"
    "kcat and rpk do. --exit ends at what is the end when it begins; --tail 10 begins with the last ten of each\n"
    "partition, --from end with what comes. A topic that begins with ^ is a regular expression.\n"
    "\n"
    "--from and --to take start, end, an offset, +N (after the start), -N (before the end) or a time: @2026-11-01,\n"
    "@2026-11-01T12:00:00Z, @-1h. The record at --to is not read.\n"
    "\n"
    "With --group the partitions are shared with the other members; it begins where the group committed, else at "
    "--from\n"
    "(start or end). What was printed is committed, every five seconds and at the end; -X enable.auto.commit=false\n"
    "commits nothing.\n"
    "\n"
    "--format takes kcat's tokens: %s value, %k key, %S and %K their lengths (-1 for null), %R the value's length as "
    "4\n"
    "bytes, %t topic, %p partition, %o offset, %T timestamp in ms, %h headers, %%, and \\n \\t \\r \\xNN.\n"
    "\n"
    "--where keeps the records for which an expression is true: value.price > 10 && headers.trace =~ \"^a\". Fields "
    "are\n"
    "topic, partition, offset, timestamp, key, value and headers.name; key and value go deeper where they are JSON:\n"
    "value.items[0].id, value[\"odd name\"]. What is not there is null. Literals: texts in quotes, numbers, true, "
    "false,\n"
    "null, times as @-1h. Operators: == != < <= > >= =~ !~ && || ! and parentheses.\n"
    "\n"
    "-o json prints an object a line, which `produce --input json` reads; -o table, wide, csv and yaml print whole\n"
    "records too, -o name where they are: topic-partition@offset.";

}  // namespace

std::vector<Command> consume_commands() {
  return {{
      .path = "consume",
      .summary = "Read records of topics",
      .positionals = {{.name = "topic",
                       .help = "names of topics, or ^patterns",
                       .repeated = true,
                       .completes = Completes::kTopic}},
      .flags =
          {{.name = "group",
            .letter = 'g',
            .value = "GROUP",
            .help = "as a member of this group",
            .completes = Completes::kGroup},
           {.name = "count", .letter = 'n', .value = "N", .help = "end after printing so many"},
           {.name = "exit", .letter = 'e', .help = "end at the end, do not wait for more"},
           {.name = "from",
            .value = "WHERE",
            .help = "begin here: start, end, an offset, +N, -N, @time; start when absent"},
           {.name = "to", .value = "WHERE", .help = "end before this"},
           {.name = "tail", .value = "N", .help = "begin with the last N records of each partition"},
           {.name = "partition", .letter = 'p', .value = "N", .help = "only this partition", .repeated = true},
           {.name = "where",
            .letter = 'w',
            .value = "EXPR",
            .help = "only records for which this is true, as 'value.price > 10'"},
           {.name = "read-committed", .help = "not what transactions aborted or have not committed"},
           {.name = "format", .letter = 'f', .value = "FORMAT", .help = "how to print a record, as '%k: %s\\n'"},
           {.name = "print-key", .letter = 'k', .help = "the key before the value"},
           {.name = "print-headers", .help = "the headers too, as a=1,b=2"},
           {.name = "print-timestamp", .help = "the time too"},
           {.name = "print-partition", .help = "partition and offset too"},
           {.name = "separator", .letter = 'K', .value = "TEXT", .help = "what stands between them; a tab when absent"},
           {.name = "delimiter", .letter = 'D', .value = "TEXT", .help = "what ends a record; a newline when absent"},
           {.name = "null", .letter = '0', .help = "records end with a NUL byte, for `xargs -0`"},
           {.name = "null-text",
            .letter = 'Z',
            .value = "TEXT",
            .help = "what stands for a null key or value; nothing when absent"},
           {.name = "quiet", .letter = 'q', .help = "no progress and no remarks"}},
      .examples = {{"consume orders --tail 10", "the last ten, then what comes"},
                   {"consume orders -e -o json | jq .value", "all there is, as JSON"},
                   {"consume orders --from @-1h --where 'value.price > 10'", "dear orders of the last hour"},
                   {"consume orders -g billing -n 100", "a hundred records for a group"},
                   {"consume orders -f '%t[%p]@%o %k: %s\\n'", "as kcat prints them"}},
      .text = kText,
      .run = consume,
  }};
}

}  // namespace barnabas::cli
