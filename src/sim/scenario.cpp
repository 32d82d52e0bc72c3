#include "sim/scenario.h"

#include <fmt/format.h>

#include "base/check.h"
#include "node/node.h"
#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/sleep.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::sim {

namespace {
constexpr int kAttempts = 100;
}

config::NodeConfig scenario_config(const std::vector<std::string>& overrides) {
  config::NodeConfigSource source;
  source.default_data_dir = "/data";
  source.overrides = {"listeners=PLAINTEXT://broker:9092,CONTROLLER://broker:9093",
                      "advertised.listeners=PLAINTEXT://broker:9092,CONTROLLER://broker:9093",
                      "offsets.topic.num.partitions=2", "group.initial.rebalance.delay.ms=0"};
  source.overrides.insert(source.overrides.end(), overrides.begin(), overrides.end());
  auto config = config::load_node_config(source);
  CHECK(config.has_value(), "a scenario's configuration is right");
  return *config;
}

namespace {

runtime::Task<> run_node(runtime::World* world, config::NodeConfig config, std::shared_ptr<NodeRun> run,
                         runtime::CancelToken stop) {
  auto node = co_await node::Node::start(*world, std::move(config));
  if (!node) {
    run->failed = node.error();
    co_return;
  }
  run->serving = true;
  runtime::Completion<bool> never;
  co_await never.wait(*world->loops[0], stop);
  run->serving = false;
  co_await (*node)->stop();
}

}  // namespace

Program node_program(config::NodeConfig config, std::shared_ptr<NodeRun> run) {
  return
      [config, run](runtime::World& world, runtime::CancelToken stop) { return run_node(&world, config, run, stop); };
}

Scenario::Scenario(uint64_t seed, std::vector<std::string> overrides)
    : simulation_(seed),
      broker_(simulation_.add_machine("broker")),
      client_(simulation_.add_machine("client")),
      overrides_(std::move(overrides)) {}

std::optional<Error> Scenario::try_start() {
  run_ = std::make_shared<NodeRun>();
  broker_.start(node_program(scenario_config(overrides_), run_));
  bool ended = simulation_.run_until([this] { return run_->serving || run_->failed; }, std::chrono::minutes(10));
  if (!ended) return Error{ErrorCode::kTimedOut, "no end of starting"};
  return run_->failed;
}

void Scenario::start_node() {
  auto failed = try_start();
  if (failed) {
    fmt::print(stderr, "seed {}: the node did not start: {}\n", simulation_.seed(), failed->message);
    for (const auto& line : broker_.log_lines()) fmt::print(stderr, "  {}\n", line);
  }
  CHECK(!failed, "the node starts");
}

namespace {

runtime::Task<Result<>> create(WireClient* client, std::string topic, int32_t partitions) {
  wire::CreateTopicsRequest request;
  auto& row = request.topics.emplace_back();
  row.name = topic;
  row.num_partitions = partitions;
  row.replication_factor = 1;
  auto response = co_await client->call<wire::CreateTopicsResponse>(std::move(request), int16_t{7});
  if (!response) co_return std::unexpected(response.error());
  if (response->topics[0].error_code != wire::KafkaError::kNone) {
    co_return fail(ErrorCode::kInvalid, std::string(wire::kafka_error_name(response->topics[0].error_code)));
  }
  co_return Result<>{};
}

runtime::Task<Result<Scenario::Fetched>> fetch_once(WireClient* client, std::string topic, int64_t offset) {
  wire::FetchRequest request;
  request.max_wait_ms = 0;
  request.min_bytes = 0;
  request.max_bytes = 1 << 20;
  auto& row = request.topics.emplace_back();
  row.topic = topic;
  auto& partition = row.partitions.emplace_back();
  partition.fetch_offset = offset;
  partition.partition_max_bytes = 1 << 20;
  auto response = co_await client->call<wire::FetchResponse>(std::move(request), int16_t{12});
  if (!response) co_return std::unexpected(response.error());
  Scenario::Fetched fetched;
  if (response->responses.empty()) co_return fetched;
  auto& data = response->responses[0].partitions[0];
  fetched.error = data.error_code;
  fetched.high_watermark = data.high_watermark;
  if (!data.records) co_return fetched;
  wire::BatchCursor cursor(data.records->bytes);
  while (true) {
    auto batch = cursor.next();
    if (!batch) co_return std::unexpected(batch.error());
    if (!*batch) break;
    if (!wire::crc_matches((*batch)->bytes))
      co_return fail(ErrorCode::kCorrupt, "a fetched batch has a wrong checksum");
    wire::RecordIterator records((*batch)->header, (*batch)->bytes);
    wire::RecordView record;
    while (records.next(record)) {
      fetched.records[(*batch)->header.base_offset + record.offset_delta] = std::string(as_text(*record.value));
    }
  }
  co_return fetched;
}

}  // namespace

runtime::Task<Result<Produced>> produce_one(WireClient& client, std::string topic, std::string value, int16_t acks,
                                            TimestampMs now) {
  wire::BatchBuilder builder({});
  builder.add({.timestamp = now, .value = as_bytes(value)});
  Buffer batch = builder.build();
  wire::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 30000;
  auto& row = request.topic_data.emplace_back();
  row.name = topic;
  auto& partition = row.partition_data.emplace_back();
  partition.records = Payload::view(batch);
  auto response = co_await client.call<wire::ProduceResponse>(std::move(request), int16_t{9});
  if (!response) co_return std::unexpected(response.error());
  auto& answer = response->responses[0].partition_responses[0];
  co_return Produced{answer.error_code, answer.base_offset};
}

void Scenario::create_topic(const std::string& topic, int32_t partitions) {
  WireClient client(client_.world(), address());
  auto created = simulation_.run_task(client_, create(&client, topic, partitions));
  CHECK(created.has_value(), "the topic is created");
}

Result<Produced> Scenario::produce(const std::string& topic, const std::string& value, int16_t acks, Duration limit) {
  for (int attempt = 1;; ++attempt) {
    WireClient client(client_.world(), address());
    TimestampMs now = client_.world().clock.wall_time();
    auto produced = simulation_.run_task(client_, produce_one(client, topic, value, acks, now), limit);
    bool again = produced && produced->error == wire::KafkaError::kNotLeaderOrFollower && attempt < kAttempts;
    if (!again) return produced;
    simulation_.run_for(milliseconds(1));
  }
}

Result<Scenario::Fetched> Scenario::fetch(const std::string& topic, int64_t offset) {
  for (int attempt = 1;; ++attempt) {
    WireClient client(client_.world(), address());
    auto fetched = simulation_.run_task(client_, fetch_once(&client, topic, offset));
    bool again = fetched && fetched->error == wire::KafkaError::kNotLeaderOrFollower && attempt < kAttempts;
    if (!again) return fetched;
    simulation_.run_for(milliseconds(1));
  }
}

std::map<int64_t, std::string> Scenario::read_all(const std::string& topic) {
  std::map<int64_t, std::string> all;
  int64_t next = 0;
  while (true) {
    auto fetched = fetch(topic, next);
    CHECK(fetched.has_value() && fetched->error == wire::KafkaError::kNone, "a live node is read from");
    if (fetched->records.empty()) return all;
    all.insert(fetched->records.begin(), fetched->records.end());
    next = all.rbegin()->first + 1;
  }
}

}  // namespace barnabas::sim
