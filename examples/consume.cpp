// Reads the records of a topic from the beginning, without a group, until none has come for a while.
// Usage: consume [bootstrap-servers]
#include <barnabas/consumer.h>

#include <iostream>
#include <vector>

namespace kafka = barnabas::client;
using std::chrono_literals::operator""s;

int main(int argc, char** argv) {
  auto consumer = kafka::Consumer::create({{"bootstrap.servers", argc > 1 ? argv[1] : "127.0.0.1:9092"},
                                           {"auto.offset.reset", "earliest"}});
  if (!consumer) {
    std::cerr << consumer.error().to_string() << '\n';
    return 1;
  }

  auto partitions = consumer->partitions_for("orders").get();
  if (!partitions) {
    std::cerr << partitions.error().to_string() << '\n';
    return 1;
  }
  if (auto assigned = consumer->assign(*partitions); !assigned) {
    std::cerr << assigned.error().to_string() << '\n';
    return 1;
  }

  while (true) {
    auto records = consumer->poll(2s);
    if (!records) {
      std::cerr << records.error().to_string() << '\n';
      return 1;
    }
    if (records->empty()) break;
    // Keys and values are views of `records`: they live as long as it does.
    for (const kafka::ConsumerRecord& record : *records) {
      std::cout << record.partition << ':' << record.offset << ' ' << record.key.value_or("null") << " = "
                << record.value.value_or("null") << '\n';
    }
  }
}
