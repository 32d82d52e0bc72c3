// The same without blocking: a coroutine that runs on the client's own thread. Usage: coroutine [bootstrap-servers]
#include <barnabas/producer.h>

#include <iostream>
#include <string>

namespace kafka = barnabas::client;

namespace {

// Starts at once, in the caller, up to its first wait; goes on on the client's thread, which it must not block.
kafka::Future<int64_t> send_in_turn(kafka::Producer& producer, int count) {
  int64_t last = -1;
  for (int i = 0; i < count; ++i) {
    std::string value = "step " + std::to_string(i);
    auto stored = co_await producer.send({.topic = "steps", .value = value});
    if (!stored) co_return std::unexpected(stored.error());
    last = stored->offset;
  }
  co_return last;
}

}  // namespace

int main(int argc, char** argv) {
  auto producer = kafka::Producer::create({{"bootstrap.servers", argc > 1 ? argv[1] : "127.0.0.1:9092"},
                                           {"linger.ms", "0"}});
  if (!producer) {
    std::cerr << producer.error().to_string() << '\n';
    return 1;
  }
  auto last = send_in_turn(*producer, 5).get();
  if (!last) {
    std::cerr << last.error().to_string() << '\n';
    return 1;
  }
  std::cout << "the last one is at offset " << *last << '\n';
}
