// Fuzz target: a broker that is hostile or broken, and what the client's core makes of it: no crash, an end to every
// call, and no more memory than the peer paid for with bytes.
//
// The input is a script: a byte that says what comes, then for most a length of two bytes and so many bytes:
//   0 raw bytes  ·  1 the body of an answer to the oldest request, framed rightly  ·  2 an honest answer to ApiVersions
//   3 time passes (length times 10 ms)  ·  4 the peer ends the connection
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "client/cluster.h"
#include "client/testing/fake_network.h"
#include "runtime/file.h"
#include "runtime/logger.h"
#include "runtime/scope.h"
#include "runtime/testing/manual_executor.h"
#include "runtime/testing/manual_workers.h"
#include "runtime/world.h"
#include "wire/api.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/fetch_response.h"

namespace barnabas::client::testing {
namespace {

struct NoDisk final : runtime::Disk {
  barnabas::Result<std::unique_ptr<runtime::Directory>> open_directory(const std::string&, bool) override {
    return fail(barnabas::ErrorCode::kNotFound, "no disk");
  }
  std::string boot_id() override { return {}; }
};

struct NoLog final : runtime::Logger {
  void log(runtime::LogLevel, std::string_view) override {}
};

runtime::Task<> fetch(Cluster* cluster) {
  wire::FetchRequest request;
  auto answer = co_await cluster->call<wire::FetchResponse>(Target::any(), request, cluster->deadline_in(30000));
  if (answer && !answer->message.responses.empty()) CHECK(answer->frame->size() > 4);
}
runtime::Task<> refresh(Cluster* cluster) {
  auto known = co_await cluster->refresh(cluster->deadline_in(30000));
  if (known) CHECK(!(*known)->brokers.empty());
}
runtime::Task<> topic(Cluster* cluster) {
  auto found = co_await cluster->topic("t", cluster->deadline_in(30000));
  if (found) CHECK(!(*found)->partitions.empty());
}
runtime::Task<> coordinator(Cluster* cluster) {
  auto found = co_await cluster->coordinator(CoordinatorType::kGroup, "g", cluster->deadline_in(30000));
  if (!found) CHECK(!found.error().to_string().empty());
}

std::string honest_versions(const Asked& asked) {
  wire::ApiVersionsResponse response;
  for (const wire::ApiInfo& api : wire::apis()) {
    response.api_keys.push_back(
        {.api_key = api.key, .min_version = api.min_version, .max_version = api.max_version, .unknown_tags = {}});
  }
  return answer_frame(asked, response);
}

struct Story {
  runtime::testing::ManualClock clock;
  runtime::testing::ManualExecutor loop{clock};
  runtime::testing::ManualWorkers workers;
  FakeNetwork network{loop};
  FakeRandom random;
  NoDisk disk;
  NoLog logger;
  runtime::World world{clock, random, network, disk, workers, logger, {&loop}};
  runtime::Scope scope{loop};
  FakeBroker& broker = network.broker("b");
  size_t answered = 0;  // of broker.asked

  Story() {
    // It answers nothing by itself.
    for (const wire::ApiInfo& api : wire::apis()) {
      broker.handlers[api.key] = [](const Asked&) { return std::nullopt; };
    }
  }
  void settle() {
    bool more = true;
    while (more) {
      loop.run_until_idle();
      more = network.serve();
    }
  }
  void advance(Duration duration) {
    settle();
    loop.advance(duration);
    settle();
  }
  void say(std::string_view bytes) {
    if (broker.wires.empty() || broker.wires.back()->closed) return;
    broker.wires.back()->send(bytes);
    settle();
  }
  void answer(BytesView body) {
    if (answered >= broker.asked.size()) return;
    std::string frame(8, '\0');
    auto* at = reinterpret_cast<std::byte*>(frame.data());
    store_be(at, static_cast<uint32_t>(4 + body.size()));
    store_be(at + 4, broker.asked[answered++].correlation);
    say(frame + std::string(as_text(body)));
  }
  void answer_honestly() {
    while (answered < broker.asked.size() && broker.asked[answered].key != wire::ApiVersionsRequest::kApiKey)
      ++answered;
    if (answered < broker.asked.size()) say(honest_versions(broker.asked[answered++]));
  }
};

void run(BytesView input) {
  Story story;
  ClientSettings settings;
  settings.bootstrap = {{"b", 9092}};
  settings.request_timeout_ms = 5000;
  Cluster cluster(story.world, story.loop, settings);
  story.loop.spawn(story.scope, refresh(&cluster));
  story.loop.spawn(story.scope, topic(&cluster));
  story.loop.spawn(story.scope, coordinator(&cluster));
  story.loop.spawn(story.scope, fetch(&cluster));
  story.settle();
  while (input.size() >= 3) {
    int kind = std::to_integer<int>(input[0]) % 5;
    size_t length = load_be<uint16_t>(input.data() + 1);
    input = input.subspan(3);
    BytesView bytes = input.first(kind < 2 ? std::min(length, input.size()) : 0);
    input = input.subspan(bytes.size());
    if (kind == 0) story.say(as_text(bytes));
    if (kind == 1) story.answer(bytes);
    if (kind == 2) story.answer_honestly();
    if (kind == 3) story.advance(milliseconds(10 * (length % 1000)));
    if (kind == 4 && !story.broker.wires.empty()) story.broker.wires.back()->end();
    story.settle();
  }
  // Every call has its deadline.
  for (int i = 0; i < 40 && !story.scope.empty(); ++i) story.advance(seconds(1));
  CHECK(story.scope.empty(), "a call did not end");
  story.loop.spawn(story.scope, cluster.close());
  story.settle();
  CHECK(story.scope.empty(), "the cluster did not close");
}

}  // namespace
}  // namespace barnabas::client::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  barnabas::client::testing::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
