// A member of a group: reads its share of the topic, commits what it has worked on, and leaves.
// Usage: group_consume [bootstrap-servers] [group]
#include <barnabas/consumer.h>

#include <iostream>

namespace kafka = barnabas::client;
using std::chrono_literals::operator""s;

int main(int argc, char** argv) {
  auto consumer = kafka::Consumer::create({{"bootstrap.servers", argc > 1 ? argv[1] : "127.0.0.1:9092"},
                                           {"group.id", argc > 2 ? argv[2] : "billing"},
                                           {"auto.offset.reset", "earliest"},
                                           {"enable.auto.commit", "false"}});
  if (!consumer) {
    std::cerr << consumer.error().to_string() << '\n';
    return 1;
  }

  kafka::RebalanceListener listener{
      .on_assigned = [](auto partitions) { std::cout << "given " << partitions.size() << " partitions\n"; },
      .on_revoked = [](auto partitions) { std::cout << "giving away " << partitions.size() << " partitions\n"; }};
  if (auto subscribed = consumer->subscribe({"orders"}, std::move(listener)); !subscribed) {
    std::cerr << subscribed.error().to_string() << '\n';
    return 1;
  }

  for (int quiet = 0; quiet < 5;) {
    auto records = consumer->poll(1s);
    if (!records) {
      std::cerr << records.error().to_string() << '\n';
      if (!records.error().retriable) return 1;
      continue;
    }
    quiet = records->empty() ? quiet + 1 : 0;
    for (const kafka::ConsumerRecord& record : *records) std::cout << record.value.value_or("null") << '\n';
    if (records->empty()) continue;
    // After the work: a member that dies before this line is given the same records again.
    if (auto committed = consumer->commit().get(); !committed) std::cerr << committed.error().to_string() << '\n';
  }
  if (auto closed = consumer->close(); !closed) std::cerr << closed.error().to_string() << '\n';
}
