// A test against a real broker, without a container: the broker runs inside the test.
#include <barnabas/consumer.h>
#include <barnabas/producer.h>
#include <barnabas/testing/broker.h>

#include <iostream>

namespace kafka = barnabas::client;
using std::chrono_literals::operator""s;

int main() {
  auto broker = barnabas::testing::Broker::start({.topics = {{.name = "orders", .partitions = 1}}});
  if (!broker) {
    std::cerr << broker.error().to_string() << '\n';
    return 1;
  }
  kafka::Config config{{"bootstrap.servers", broker->bootstrap_servers()}, {"auto.offset.reset", "earliest"}};

  auto producer = kafka::Producer::create(config);
  auto consumer = kafka::Consumer::create(config);
  if (!producer || !consumer) return 1;
  if (!producer->send({.topic = "orders", .value = "one"}).get()) return 1;
  if (!consumer->assign({{.topic = "orders", .partition = 0}})) return 1;
  auto records = consumer->poll(10s);
  if (!records || records->size() != 1 || (*records)[0].value != "one") return 1;
  std::cout << "read back what was sent\n";
}
