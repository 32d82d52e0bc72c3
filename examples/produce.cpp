// Sends ten records and waits until each is stored. Usage: produce [bootstrap-servers]
#include <barnabas/producer.h>

#include <iostream>
#include <string>
#include <vector>

namespace kafka = barnabas::client;

int main(int argc, char** argv) {
  auto producer = kafka::Producer::create({{"bootstrap.servers", argc > 1 ? argv[1] : "127.0.0.1:9092"},
                                           {"compression.type", "lz4"}});
  if (!producer) {
    std::cerr << producer.error().to_string() << '\n';
    return 1;
  }

  std::vector<kafka::Future<kafka::RecordMetadata>> sent;
  for (int i = 0; i < 10; ++i) {
    std::string key = "customer-" + std::to_string(i % 3);
    std::string value = "order " + std::to_string(i);
    kafka::Header origin{"origin", "example"};
    // Records of one key go to one partition, in order. send() copies: the strings may go.
    sent.push_back(producer->send({.topic = "orders", .key = key, .value = value, .headers = {&origin, 1}}));
  }

  for (auto& future : sent) {
    auto stored = future.get();
    if (!stored) {
      std::cerr << stored.error().to_string() << '\n';
      return 1;
    }
    std::cout << stored->topic << '-' << stored->partition << " at offset " << stored->offset << '\n';
  }
}
