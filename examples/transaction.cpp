// Writes to two topics, all or nothing. Usage: transaction [bootstrap-servers]
#include <barnabas/producer.h>

#include <iostream>

namespace kafka = barnabas::client;

namespace {

// Everything between begin and commit becomes visible at once to readers with isolation.level=read_committed.
kafka::Result<> transfer(kafka::Producer& producer) {
  if (auto begun = producer.begin_transaction(); !begun) return begun;
  // Failures of single records show in commit_transaction() too.
  static_cast<void>(producer.send({.topic = "debits", .key = "alice", .value = "-10"}));
  static_cast<void>(producer.send({.topic = "credits", .key = "bob", .value = "+10"}));
  return producer.commit_transaction().get();
}

}  // namespace

int main(int argc, char** argv) {
  auto producer = kafka::Producer::create({{"bootstrap.servers", argc > 1 ? argv[1] : "127.0.0.1:9092"},
                                           {"transactional.id", "transfers-1"}});
  if (!producer) {
    std::cerr << producer.error().to_string() << '\n';
    return 1;
  }
  // Ends what an earlier process of this name left open, and shuts it out.
  if (auto ready = producer->init_transactions().get(); !ready) {
    std::cerr << ready.error().to_string() << '\n';
    return 1;
  }

  auto done = transfer(*producer);
  if (done) {
    std::cout << "transferred\n";
    return 0;
  }
  std::cerr << done.error().to_string() << '\n';
  if (!done.error().fatal) {
    if (auto aborted = producer->abort_transaction().get(); !aborted) std::cerr << aborted.error().to_string() << '\n';
  }
  return 1;
}
