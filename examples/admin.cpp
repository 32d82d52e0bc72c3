// Makes a topic and describes it. Usage: admin [bootstrap-servers]
#include <barnabas/admin.h>

#include <iostream>

namespace kafka = barnabas::client;

int main(int argc, char** argv) {
  auto admin = kafka::Admin::create({{"bootstrap.servers", argc > 1 ? argv[1] : "127.0.0.1:9092"}});
  if (!admin) {
    std::cerr << admin.error().to_string() << '\n';
    return 1;
  }

  // The outer Result is that of the call, the inner ones are those of each topic.
  auto created = admin->create_topics({{.name = "orders", .partitions = 3}}).get();
  if (!created) {
    std::cerr << created.error().to_string() << '\n';
    return 1;
  }
  for (const auto& [topic, result] : *created) {
    if (result) {
      std::cout << "created " << topic << '\n';
    } else if (result.error().code == kafka::ErrorCode::kTopicAlreadyExists) {
      std::cout << topic << " is there already\n";
    } else {
      std::cerr << result.error().to_string() << '\n';
      return 1;
    }
  }

  auto described = admin->describe_topics({"orders"}).get();
  if (!described || !described->at("orders")) {
    std::cerr << (described ? described->at("orders").error() : described.error()).to_string() << '\n';
    return 1;
  }
  for (const auto& partition : described->at("orders")->partitions) {
    std::cout << "partition " << partition.partition << " has " << partition.replicas.size() << " replicas\n";
  }
}
