#include "broker/testing/test_broker.h"

#include "base/check.h"
#include "broker/group_coordinator.h"
#include "broker/partition.h"
#include "broker/pass_writer.h"
#include "broker/replicas.h"
#include "broker/topic_creator.h"
#include "log/log_dir.h"
#include "metadata/bootstrap.h"
#include "metadata/features.h"
#include "metadata/registration_rows.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/record_batch_builder.h"

namespace barnabas::broker::testing {

namespace {

constexpr std::string_view kClusterId = "a-test-cluster-00000000";
constexpr std::string_view kDataDir = "/data";
const Uuid kDirectory{0x100, 0x200};

config::NodeConfig load(std::vector<std::string> overrides) {
  config::NodeConfigSource source;
  source.overrides = std::move(overrides);
  source.default_data_dir = kDataDir;
  auto node = config::load_node_config(source);
  CHECK(node.has_value());
  return std::move(*node);
}

std::vector<wire::MetadataRecord> first_records(const config::NodeConfig& node) {
  auto records = metadata::bootstrap_records(metadata::default_levels());
  wire::RegisterControllerRecord controller;
  controller.controller_id = node.node_id;
  auto& controller_end = controller.end_points.emplace_back();
  controller_end.name = "CONTROLLER";
  controller_end.host = "localhost";
  controller_end.port = 9093;
  records.emplace_back(std::move(controller));
  wire::RegisterBrokerRecord broker;
  broker.broker_id = node.node_id;
  broker.broker_epoch = static_cast<int64_t>(records.size());
  broker.fenced = false;
  broker.log_dirs = {kDirectory};
  broker.rack.reset();
  auto& end = broker.end_points.emplace_back();
  end.name = "PLAINTEXT";
  end.host = "localhost";
  end.port = 9092;
  broker.features = metadata::feature_rows<wire::RegisterBrokerRecord::BrokerFeature>(metadata::supported_features());
  records.emplace_back(std::move(broker));
  return records;
}

runtime::Task<> serve(net::Service* service, net::Frame frame, net::ConnectionInfo* connection,
                      runtime::CancelToken token, std::optional<net::Answer>* into) {
  net::Answer answer = co_await service->serve(frame, *connection, token);
  into->emplace(std::move(answer));
}

}  // namespace

Result<std::unique_ptr<runtime::Listener>> TestBroker::NoNetwork::listen(const runtime::Endpoint&,
                                                                         const runtime::ListenOptions&) {
  return fail(ErrorCode::kUnsupported, "no network");
}
runtime::Task<Result<std::unique_ptr<runtime::Stream>>> TestBroker::NoNetwork::connect(runtime::Executor&,
                                                                                       runtime::Endpoint, Duration,
                                                                                       runtime::CancelToken) {
  co_return fail(ErrorCode::kUnsupported, "no network");
}

TestBroker::TestBroker(std::vector<std::string> overrides)
    : world_{clock_, random_, network_, disk_, workers_, logger_, {&loop_}}, node_(load(std::move(overrides))) {
  scope_ = std::make_unique<runtime::Scope>(loop_);
  controller_ = std::make_unique<TestController>(std::string(kClusterId), node_.layers);
  auto image = controller_->bootstrap(first_records(node_));
  auto dir = log::LogDir::open(disk_, std::string(kDataDir), logger_);
  CHECK(dir.has_value());
  std::vector<ReplicaDir> dirs;
  dirs.push_back({.dir = std::move(*dir), .directory_id = kDirectory});
  replicas_ = std::make_unique<Replicas>(world_, Replicas::Options{.self = BrokerId(node_.node_id)}, std::move(dirs));
  broker_ = std::make_unique<Broker>(world_, node_, Broker::Identity{BrokerId(node_.node_id), std::string(kClusterId)},
                                     *controller_, *replicas_, loggers_);
  loggers_.get("kafka.server");
  controller_->set_broker(*broker_);
  broker_->restore(image);
  run(replicas_->load(image));
  const char* listeners[] = {"PLAINTEXT", "CONTROLLER"};
  for (int i = 0; i < 2; ++i) {
    services_[i] = std::make_unique<KafkaService>(*broker_, i == 0 ? ListenerKind::kBroker : ListenerKind::kController);
    connections_[i].loop = &loop_;
    connections_[i].listener = listeners[i];
    connections_[i].peer = {"127.0.0.1", 50000};
  }
}

TestBroker::~TestBroker() {
  end_.request();
  settle();
  run(broker_->stop());
  run(replicas_->close(BrokerEpoch(1)));
}

void TestBroker::run(runtime::Task<> task) {
  loop_.spawn(*scope_, std::move(task));
  settle();
}

void TestBroker::settle() {
  do {
    loop_.run_until_idle();
  } while (workers_.run_one());
}

void TestBroker::advance(Duration duration) {
  settle();
  loop_.advance(duration);
  settle();
}

net::Answer TestBroker::exchange(Buffer frame, ListenerKind listener) {
  int which = listener == ListenerKind::kBroker ? 0 : 1;
  auto memory = std::make_shared<Buffer>(std::move(frame));
  CHECK(memory->size() >= sizeof(int32_t));
  auto answer = std::make_shared<std::optional<net::Answer>>();
  net::Frame received{.payload = MutableBytes(*memory).subspan(sizeof(int32_t)), .owner = memory};
  run(serve(services_[which].get(), received, &connections_[which], end_.token(), answer.get()));
  constexpr int kSteps = 100;
  for (int step = 0; step < kSteps && !answer->has_value(); ++step) advance(milliseconds(100));
  if (!answer->has_value()) {
    // Its task still points here: end it before the memory goes.
    end_.request();
    settle();
    end_ = {};
    return {.close = true, .reason = "no answer in time"};
  }
  return std::move(**answer);
}

void TestBroker::commit(std::vector<wire::MetadataRecord> records) {
  run(controller_->commit(std::move(records)));
}

Uuid TestBroker::create_topic(const std::string& name, int32_t partitions, metadata::ConfigMap configs) {
  wire::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = 1;
  for (const auto& [key, value] : configs) {
    auto& config = topic.configs.emplace_back();
    config.name = key;
    config.value = value;
  }
  auto response = ask<wire::CreateTopicsResponse>(request);
  EXPECT_EQ(response.topics.at(0).error_code, wire::KafkaError::kNone);
  return response.topics.at(0).topic_id;
}

void TestBroker::produce(const std::string& topic, int32_t partition, const std::vector<std::string>& values) {
  auto hosted = replicas_->find(broker_->image()->topic(topic)->id, partition);
  ASSERT_TRUE(hosted);
  for (const std::string& value : values) {
    wire::BatchBuilder builder({});
    builder.add({.timestamp = clock_.wall_time(), .key = as_bytes("k"), .value = as_bytes(value)});
    auto bytes = std::make_shared<Buffer>(builder.build());
    auto answer = hosted->append({.records = MutableBytes(*bytes), .owner = bytes, .now = clock_.wall_time()});
    EXPECT_EQ(answer.error, wire::KafkaError::kNone);
    loop_.post([this, hosted] { broker_->writer_of(loop_).dirty(hosted); });
    settle();
  }
}

void TestBroker::start_groups() {
  loop_.post([this] { broker_->topic_creator().create({std::string(metadata::kConsumerOffsetsTopic)}); });
  settle();
}

}  // namespace barnabas::broker::testing
