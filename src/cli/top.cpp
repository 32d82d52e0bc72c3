// Top: a cluster to look at: brokers, topics by what is written to them, groups by how far they are behind.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>

#include "barnabas/admin.h"
#include "cli/cluster_view.h"
#include "cli/command.h"
#include "cli/group_lag.h"
#include "cli/invocation.h"
#include "cli/live_view.h"
#include "cli/values.h"

namespace barnabas::cli {

namespace {

using client::TopicPartition;
using Clock = std::chrono::steady_clock;

struct BrokerRow {
  client::Node node;
  bool controller = false;
  int64_t leads = 0, replicas = 0;
};

struct TopicRow {
  std::string name;
  int64_t partitions = 0, records = 0, behind = 0, leaderless = 0;
  std::optional<double> per_second;
};

struct GroupRow {
  std::string name;
  int64_t partitions = 0, lag = 0;
  std::optional<double> lag_per_second;
};

// One look at the cluster.
struct Look {
  std::string cluster_id;
  std::vector<BrokerRow> brokers;
  std::vector<TopicRow> topics;
  std::vector<GroupRow> groups;
  std::optional<double> per_second;
};

// What the look before found, to make rates of.
class Watcher {
 public:
  Watcher(Invocation& call, client::Admin& admin) : call_(call), admin_(admin) {}

  // Nothing after an error was told.
  std::optional<Look> look() {
    Look found;
    auto cluster = admin_.describe_cluster();
    auto topics = describe_topics(call_, {});
    if (!topics) return std::nullopt;
    auto described = cluster.get();
    if (!described) {
      call_.fail(described.error());
      return std::nullopt;
    }
    std::map<TopicPartition, client::OffsetSpec> starts, ends;
    for (const auto& topic : *topics) {
      for (const auto& partition : topic.partitions) {
        if (!partition.leader) continue;
        starts[{topic.name, partition.partition}] = {.kind = client::OffsetSpec::Kind::kEarliest};
        ends[{topic.name, partition.partition}] = {.kind = client::OffsetSpec::Kind::kLatest};
      }
    }
    client::Result<std::map<TopicPartition, client::Result<client::ListedOffset>>> low, high;
    if (!ends.empty()) {
      auto first = admin_.list_offsets(std::move(starts));
      high = admin_.list_offsets(std::move(ends)).get();
      low = first.get();
      if (!low || !high) {
        call_.fail(!low ? low.error() : high.error());
        return std::nullopt;
      }
    }
    auto lags = measure_lag(admin_, {});
    auto now = Clock::now();
    double seconds = std::chrono::duration<double>(now - looked_).count();
    looked_ = now;
    found.cluster_id = described->cluster_id;
    fill_brokers(found, *described, *topics);
    fill_topics(found, *topics, *low, *high, seconds);
    if (lags) fill_groups(found, *lags, seconds);
    again_ = true;
    return found;
  }

 private:
  void fill_brokers(Look& found, const client::ClusterDescription& cluster,
                    const std::vector<client::TopicDescription>& topics) {
    std::map<int32_t, BrokerRow> rows;
    for (const auto& node : cluster.nodes) {
      rows[node.id].node = node;
      rows[node.id].controller = cluster.controller && cluster.controller->id == node.id;
    }
    for (const auto& topic : topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.leader && rows.contains(partition.leader->id)) ++rows[partition.leader->id].leads;
        for (const auto& replica : partition.replicas) {
          if (rows.contains(replica.id)) ++rows[replica.id].replicas;
        }
      }
    }
    for (auto& [id, row] : rows) found.brokers.push_back(std::move(row));
  }

  using Offsets = std::map<TopicPartition, client::Result<client::ListedOffset>>;

  void fill_topics(Look& found, const std::vector<client::TopicDescription>& topics, const Offsets& low,
                   const Offsets& high, double seconds) {
    std::map<TopicPartition, int64_t> ends;
    for (const auto& topic : topics) {
      TopicRow row{.name = topic.name, .partitions = static_cast<int64_t>(topic.partitions.size())};
      double written = 0;
      for (const auto& partition : topic.partitions) {
        TopicPartition key{topic.name, partition.partition};
        row.behind += partition.in_sync_replicas.size() < partition.replicas.size() ? 1 : 0;
        row.leaderless += partition.leader ? 0 : 1;
        auto end = high.find(key);
        if (end == high.end() || !end->second) continue;
        ends[key] = end->second->offset;
        auto start = low.find(key);
        if (start != low.end() && start->second) row.records += end->second->offset - start->second->offset;
        auto before = ends_.find(key);
        if (before != ends_.end()) written += static_cast<double>(std::max<int64_t>(0, ends[key] - before->second));
      }
      if (again_ && seconds > 0) row.per_second = written / seconds;
      if (row.per_second) found.per_second = found.per_second.value_or(0) + *row.per_second;
      found.topics.push_back(std::move(row));
    }
    ends_ = std::move(ends);
    std::ranges::sort(found.topics, [](const TopicRow& left, const TopicRow& right) {
      double writes = left.per_second.value_or(0), others = right.per_second.value_or(0);
      return writes != others ? writes > others : left.name < right.name;
    });
  }

  void fill_groups(Look& found, const Lags& lags, double seconds) {
    std::map<std::string, GroupRow> rows;
    for (const auto& lag : lags.partitions) {
      GroupRow& row = rows[lag.group];
      row.name = lag.group;
      ++row.partitions;
      row.lag += lag.lag().value_or(0);
    }
    std::map<std::string, int64_t> now;
    for (auto& [name, row] : rows) {
      now[name] = row.lag;
      auto before = lags_.find(name);
      if (before != lags_.end() && seconds > 0) {
        row.lag_per_second = static_cast<double>(row.lag - before->second) / seconds;
      }
      found.groups.push_back(std::move(row));
    }
    lags_ = std::move(now);
    std::ranges::sort(found.groups, [](const GroupRow& left, const GroupRow& right) {
      return left.lag != right.lag ? left.lag > right.lag : left.name < right.name;
    });
  }

  Invocation& call_;
  client::Admin& admin_;
  Clock::time_point looked_ = Clock::now();
  bool again_ = false;
  std::map<TopicPartition, int64_t> ends_;
  std::map<std::string, int64_t> lags_;
};

std::string rate(std::optional<double> per_second) {
  if (!per_second) return "-";
  double value = *per_second;
  if (value >= 1e6) return fmt::format("{:.1f}M/s", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.1f}k/s", value / 1e3);
  return fmt::format("{:.0f}/s", value);
}

std::string change(std::optional<double> per_second) {
  if (!per_second) return "-";
  return *per_second < 0 ? "-" + rate(-*per_second) : "+" + rate(per_second);
}

// `text` in `width` columns, cut with an ellipsis where it is longer.
std::string fit(const std::string& text, size_t width) {
  size_t used = display_width(text);
  if (used <= width) return text + std::string(width - used, ' ');
  std::string cut;
  size_t columns = 0;
  for (size_t at = 0; at < text.size();) {
    size_t length = 1;
    while (at + length < text.size() && (static_cast<unsigned char>(text[at + length]) & 0xc0) == 0x80) ++length;
    size_t wide = display_width(std::string_view(text).substr(at, length));
    if (columns + wide + 1 > width) break;
    cut.append(text, at, length);
    columns += wide;
    at += length;
  }
  return cut + "…" + std::string(width - columns - 1, ' ');
}

std::string bar(double part, double whole, int width) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  int eighths = whole <= 0 ? 0 : static_cast<int>(part / whole * width * 8 + 0.5);
  eighths = std::clamp(eighths, 0, width * 8);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  return text + kEighths[eighths % 8];
}

// The last rates of the whole cluster as a line of blocks.
std::string sparkline(const std::deque<double>& rates) {
  static constexpr const char* kBlocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double most = 0;
  for (double each : rates) most = std::max(most, each);
  std::string text;
  for (double each : rates) text += kBlocks[most <= 0 ? 0 : static_cast<size_t>(each / most * 8 + 0.5)];
  return text;
}

std::string count(size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string clock_now() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return human_time(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()).substr(11, 8) + "Z";
}

// The picture on a terminal: as many topics and groups as there is room for.
std::vector<std::string> picture(const Output& out, const Look& look, const std::deque<double>& rates) {
  auto [columns, rows] = terminal_size();
  std::vector<std::string> lines;
  lines.push_back(
      fmt::format("{}  {}  {}  {}", out.bold("barnabas top"), look.cluster_id, clock_now(), out.dim("Ctrl-C ends")));
  lines.push_back(fmt::format("{}, {}, {}, writes {}  {}", count(look.brokers.size(), "broker"),
                              count(look.topics.size(), "topic"), count(look.groups.size(), "group"),
                              rate(look.per_second), out.green(sparkline(rates))));
  lines.emplace_back();
  lines.push_back(
      out.dim(fmt::format("{:>6}  {:<28} {:<10} {:>8} {:>9}", "BROKER", "ADDRESS", "RACK", "LEADS", "REPLICAS")));
  size_t shown_brokers = std::min<size_t>(look.brokers.size(), static_cast<size_t>(std::max(rows / 4, 1)));
  for (size_t i = 0; i < shown_brokers; ++i) {
    const auto& row = look.brokers[i];
    std::string line = fmt::format("{:>6}  {} {} {:>8} {:>9}", row.node.id, fit(address_of(row.node), 28),
                                   fit(row.node.rack.value_or("-"), 10), row.leads, row.replicas);
    if (row.controller) line += out.dim("  controller");
    if (row.node.fenced) line += out.red("  fenced");
    lines.push_back(std::move(line));
  }
  if (shown_brokers < look.brokers.size()) {
    lines.push_back(out.dim(fmt::format("        … and {} more", look.brokers.size() - shown_brokers)));
  }
  int left = rows - 1 - static_cast<int>(lines.size()) - 4;  // two headings with an empty line each
  size_t groups_wanted = look.groups.size();
  size_t for_groups = std::min(groups_wanted, static_cast<size_t>(std::max(left / 3, 1)));
  size_t for_topics = static_cast<size_t>(std::max(left - static_cast<int>(for_groups), 1));
  size_t name_width = static_cast<size_t>(std::clamp(columns - 62, 16, 60));
  lines.emplace_back();
  lines.push_back(
      out.dim(fmt::format("{} {:>6} {:>14} {:>10}", fit("TOPIC", name_width), "PARTS", "RECORDS", "WRITES")));
  double most = look.topics.empty() ? 0 : look.topics.front().per_second.value_or(0);
  for (size_t i = 0; i < std::min(for_topics, look.topics.size()); ++i) {
    const auto& row = look.topics[i];
    std::string line = fmt::format("{} {:>6} {:>14} {:>10}  {}", fit(row.name, name_width), row.partitions, row.records,
                                   rate(row.per_second), out.green(bar(row.per_second.value_or(0), most, 16)));
    if (row.leaderless > 0) line += out.red(fmt::format("  {} without leader", row.leaderless));
    if (row.behind > 0) line += out.yellow(fmt::format("  {} under-replicated", row.behind));
    lines.push_back(std::move(line));
  }
  if (groups_wanted == 0) return lines;
  lines.emplace_back();
  lines.push_back(out.dim(fmt::format("{} {:>6} {:>14} {:>10}", fit("GROUP", name_width), "PARTS", "LAG", "CHANGE")));
  auto most_lag = static_cast<double>(look.groups.front().lag);
  for (size_t i = 0; i < for_groups; ++i) {
    const auto& row = look.groups[i];
    std::string gauge = bar(static_cast<double>(row.lag), most_lag, 16);
    bool grows = row.lag_per_second.value_or(0) > 0;
    lines.push_back(fmt::format("{} {:>6} {:>14} {:>10}  {}", fit(row.name, name_width), row.partitions, row.lag,
                                change(row.lag_per_second), grows ? out.red(gauge) : out.yellow(gauge)));
  }
  return lines;
}

// Where no terminal is: one document or table a look.
Value document(const Look& look) {
  Value::List brokers, topics, groups;
  for (const auto& row : look.brokers) {
    Value value;
    value.add("id", row.node.id).add("address", address_of(row.node)).add("controller", row.controller);
    brokers.push_back(value.add("leads", row.leads).add("replicas", row.replicas));
  }
  for (const auto& row : look.topics) {
    Value value;
    value.add("name", row.name).add("partitions", row.partitions).add("records", row.records);
    value.add("written_per_second", row.per_second).add("under_replicated", row.behind);
    topics.push_back(value.add("without_leader", row.leaderless));
  }
  for (const auto& row : look.groups) {
    Value value;
    value.add("name", row.name).add("partitions", row.partitions).add("lag", row.lag);
    groups.push_back(value.add("lag_per_second", row.lag_per_second));
  }
  Value all;
  all.add("cluster_id", look.cluster_id).add("written_per_second", look.per_second);
  return all.add("brokers", std::move(brokers)).add("topics", std::move(topics)).add("groups", std::move(groups));
}

void print_plain(Output& out, const Look& look) {
  if (out.format() == Format::kJson || out.format() == Format::kYaml) return out.print("top", document(look));
  Table table{.kind = "top",
              .columns = {{.title = "WHAT"},
                          {.title = "NAME"},
                          {.title = "PARTITIONS", .right = true},
                          {.title = "RECORDS", .right = true},
                          {.title = "WRITES", .right = true},
                          {.title = "LAG", .right = true}},
              .rows = {},
              .name_column = 1};
  for (const auto& row : look.brokers) {
    table.rows.push_back({"broker", std::to_string(row.node.id), row.replicas, {}, {}, {}});
  }
  for (const auto& row : look.topics) {
    table.rows.push_back({"topic", row.name, row.partitions, row.records, rate(row.per_second), {}});
  }
  for (const auto& row : look.groups) {
    table.rows.push_back({"group", row.name, row.partitions, {}, {}, row.lag});
  }
  out.print(table);
}

int top(Invocation& call) {
  auto interval = call.duration_ms("interval");
  if (!interval || *interval < 100) return call.usage("--interval: want a time of 100ms or more");
  int64_t looks = INT64_MAX;
  if (call.has("count")) {
    auto count = call.number("count", 1, INT64_MAX);
    if (!count) return call.usage(count.error().message);
    looks = *count;
  }
  client::Admin* admin = call.admin();
  if (!admin) return call.exit_code();
  Watcher watcher(call, *admin);
  bool plain_format = call.out().format() != Format::kTable && call.out().format() != Format::kWide;
  LiveView view(call.out());
  std::deque<double> rates;
  for (int64_t i = 0; i < looks && !view.interrupted(); ++i) {
    if (i > 0) view.wait(std::chrono::milliseconds(*interval));
    if (view.interrupted()) break;
    auto look = watcher.look();
    if (!look) return call.exit_code();
    if (look->per_second) rates.push_back(*look->per_second);
    if (rates.size() > 30) rates.pop_front();
    if (view.on_terminal() && !plain_format) {
      view.show(picture(call.out(), *look, rates));
    } else {
      if (i > 0 && !call.out().for_programs()) call.out().line("");
      print_plain(call.out(), *look);
      call.out().flush();
    }
  }
  return call.exit_code();
}

}  // namespace

std::vector<Command> top_commands() {
  return {{.path = "top",
           .summary = "Watch a cluster: brokers, topics by what is written, groups by lag",
           .flags = {{.name = "count", .letter = 'n', .value = "N", .help = "end after this many looks"},
                     {.name = "interval", .value = "TIME", .help = "between two looks", .default_value = "2s"}},
           .examples = {{"top", "a live view; Ctrl-C ends it"}, {"top -n 2 -o json", "one measurement for a program"}},
           .text = "The rate of writing is that of the end offsets between two looks, so the first look has none.",
           .run = top}};
}

}  // namespace barnabas::cli
