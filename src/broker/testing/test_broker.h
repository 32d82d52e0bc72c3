// TestBroker: a whole broker in memory for handler tests: one loop driven by hand, a disk in memory, a controller whose
// decisions are committed at once. Requests go in as frames and answers come out of frames, so that what is tested
// includes decoding, dispatch and encoding at the version asked.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/payload.h"
#include "broker/broker.h"
#include "broker/service.h"
#include "broker/testing/test_controller.h"
#include "log/testing/memory_disk.h"
#include "net/service.h"
#include "runtime/logger.h"
#include "runtime/loggers.h"
#include "runtime/random.h"
#include "runtime/scope.h"
#include "runtime/stream.h"
#include "runtime/testing/manual_executor.h"
#include "runtime/testing/manual_workers.h"
#include "runtime/world.h"
#include "wire/frame.h"

namespace barnabas::broker::testing {

inline constexpr std::string_view kClientId = "tester";

class TestBroker {
 public:
  // `overrides`: lines of --override, e.g. "auto.create.topics.enable=false".
  explicit TestBroker(std::vector<std::string> overrides = {});
  ~TestBroker();

  // One request on the broker's (or the controller's) listener. Time passes, up to ten seconds, until it is answered;
  // no answer by then, or a closed connection, fails the test.
  template <class Response, class Request>
  Response ask(const Request& request, int16_t version = Request::kMaxVersion,
               ListenerKind listener = ListenerKind::kBroker) {
    wire::Writer writer;
    auto encoded = wire::encode_request(writer, version, 7, kClientId, request);
    EXPECT_TRUE(encoded.has_value());
    net::Answer answer = exchange(writer.take_contiguous(), listener);
    EXPECT_FALSE(answer.close) << answer.reason;
    Buffer frame;
    for (const Payload& segment : answer.segments) {
      auto bytes = segment.to_buffer();
      if (bytes) frame.insert(frame.end(), bytes->begin(), bytes->end());
    }
    if (frame.size() < sizeof(int32_t)) {
      ADD_FAILURE() << Request::kName << " version " << version << " was not answered";
      return {};
    }
    wire::Reader reader{BytesView(frame).subspan(sizeof(int32_t))};
    auto id = wire::decode_response_header(reader, Request::kApiKey, Response::kFlexibleFrom, version);
    EXPECT_EQ(id.value_or(-1), 7);
    auto response = Response::decode(reader, version);
    EXPECT_TRUE(response.has_value() && reader.at_end());
    return response.value_or(Response());
  }

  // `frame` with its length prefix.
  net::Answer exchange(Buffer frame, ListenerKind listener = ListenerKind::kBroker);

  // Records as if the controller had decided them.
  void commit(std::vector<wire::MetadataRecord> records);
  Uuid create_topic(const std::string& name, int32_t partitions = 1, metadata::ConfigMap configs = {});
  // Appends records with these values, a batch each, and waits until they are committed.
  void produce(const std::string& topic, int32_t partition, const std::vector<std::string>& values);
  // Until __consumer_offsets is there and loaded.
  void start_groups();

  void settle();
  void advance(Duration duration);

  Broker& broker() { return *broker_; }
  std::string id_text() const { return std::to_string(node_.node_id); }
  const std::vector<std::string>& log_lines() const { return logger_.lines; }

 private:
  struct Lines final : runtime::Logger {
    void log(runtime::LogLevel, std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
  };
  struct Counter final : runtime::Random {
    uint64_t next() override { return ++value * 0x9e3779b97f4a7c15ULL; }
    uint64_t value = 0;
  };
  struct NoNetwork final : runtime::Network {
    Result<std::unique_ptr<runtime::Listener>> listen(const runtime::Endpoint&, const runtime::ListenOptions&) override;
    runtime::Task<Result<std::unique_ptr<runtime::Stream>>> connect(runtime::Executor&, runtime::Endpoint, Duration,
                                                                    runtime::CancelToken) override;
  };

  void run(runtime::Task<> task);

  runtime::testing::ManualClock clock_;
  runtime::testing::ManualExecutor loop_{clock_};
  runtime::testing::ManualWorkers workers_;
  log::testing::MemoryDisk disk_;
  Lines logger_;
  runtime::Loggers loggers_{logger_};
  Counter random_;
  NoNetwork network_;
  runtime::World world_;
  config::NodeConfig node_;
  std::unique_ptr<TestController> controller_;
  std::unique_ptr<Replicas> replicas_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<KafkaService> services_[2];
  net::ConnectionInfo connections_[2];
  runtime::CancelSource end_;
  std::unique_ptr<runtime::Scope> scope_;
};

}  // namespace barnabas::broker::testing
