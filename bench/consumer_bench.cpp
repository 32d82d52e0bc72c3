// Reads records with Barnabas' C++ client or with librdkafka, from a running broker, and says what each cost: records
// per second and CPU per record of this process. consumer_bench.py fills the topics and runs both in turns.
//
//   consumer_bench ours|rdkafka bootstrap topic partitions count [key=value…]
//
// Every byte of every value is looked at (summed), as any program would. librdkafka hands out records in batches of
// 1000 (rd_kafka_consume_batch_queue, its cheapest way), ours by poll() with max.poll.records=500, the default.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/consumer.h"
#ifdef BARNABAS_HAVE_RDKAFKA
#include <librdkafka/rdkafka.h>
#endif

namespace {

struct Job {
  std::string bootstrap, topic;
  int partitions = 1;
  size_t count = 0;
  std::vector<std::pair<std::string, std::string>> settings;
};

struct Tally {
  size_t records = 0;
  uint64_t bytes = 0;
  uint64_t sum = 0;
  void add(const char* data, size_t size) {
    ++records;
    bytes += size;
    uint64_t word = 0;
    for (size_t at = 0; at + sizeof word <= size; at += sizeof word) {
      std::memcpy(&word, data + at, sizeof word);
      sum += word;
    }
  }
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int read_with_ours(const Job& job, Tally& tally) {
  namespace kafka = barnabas::client;
  kafka::Config config{{"bootstrap.servers", job.bootstrap}, {"auto.offset.reset", "earliest"}};
  for (const auto& [key, value] : job.settings) config.set(key, value);
  auto consumer = kafka::Consumer::create(config);
  if (!consumer) {
    std::fprintf(stderr, "%s\n", consumer.error().to_string().c_str());
    return 1;
  }
  std::vector<kafka::TopicPartition> partitions;
  for (int number = 0; number < job.partitions; ++number) partitions.push_back({job.topic, number});
  if (!consumer->assign(partitions)) return 1;
  while (tally.records < job.count) {
    auto records = consumer->poll(kafka::Milliseconds(10000));
    if (!records || records->empty()) {
      std::fprintf(stderr, "%s\n", records ? "no records" : records.error().to_string().c_str());
      return 1;
    }
    for (const auto& record : *records) tally.add(record.value->data(), record.value->size());
  }
  return 0;
}

#ifdef BARNABAS_HAVE_RDKAFKA
int read_with_rdkafka(const Job& job, Tally& tally) {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  auto set = [&](const char* key, const char* value) {
    if (rd_kafka_conf_set(conf, key, value, why, sizeof why) == RD_KAFKA_CONF_OK) return true;
    std::fprintf(stderr, "%s\n", why);
    return false;
  };
  if (!set("bootstrap.servers", job.bootstrap.c_str()) || !set("group.id", "unused") ||
      !set("auto.offset.reset", "earliest") || !set("enable.auto.commit", "false")) {
    return 1;
  }
  for (const auto& [key, value] : job.settings) {
    if (!set(key.c_str(), value.c_str())) return 1;
  }
  rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (consumer == nullptr) return 1;
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t* partitions = rd_kafka_topic_partition_list_new(job.partitions);
  for (int number = 0; number < job.partitions; ++number) {
    rd_kafka_topic_partition_list_add(partitions, job.topic.c_str(), number)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(consumer, partitions);
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(consumer);
  std::vector<rd_kafka_message_t*> messages(1000);
  while (tally.records < job.count) {
    ssize_t got = rd_kafka_consume_batch_queue(queue, 10000, messages.data(), messages.size());
    if (got <= 0) return 1;
    for (ssize_t at = 0; at < got; ++at) {
      rd_kafka_message_t* message = messages[static_cast<size_t>(at)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        tally.add(static_cast<const char*>(message->payload), message->len);
      rd_kafka_message_destroy(message);
    }
  }
  // Leaving without ceremony: closing is not what is measured.
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_partition_list_destroy(partitions);
  return 0;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "Usage: consumer_bench ours|rdkafka bootstrap topic partitions count [key=value...]\n");
    return 2;
  }
  Job job{.bootstrap = argv[2], .topic = argv[3], .partitions = std::stoi(argv[4]), .count = std::stoul(argv[5])};
  for (int i = 6; i < argc; ++i) {
    char* equals = std::strchr(argv[i], '=');
    if (equals == nullptr) return 2;
    job.settings.emplace_back(std::string(argv[i], equals), equals + 1);
  }
  Tally tally;
  double cpu = cpu_seconds();
  auto began = std::chrono::steady_clock::now();
  int status = 2;
  if (std::string_view(argv[1]) == "ours") {
    status = read_with_ours(job, tally);
#ifdef BARNABAS_HAVE_RDKAFKA
  } else {
    status = read_with_rdkafka(job, tally);
#endif
  }
  if (status != 0) return status;
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  cpu = cpu_seconds() - cpu;
  auto count = static_cast<double>(tally.records);
  std::printf(
      "{\"client\": \"%s\", \"records\": %zu, \"bytes\": %llu, \"sum\": %llu, \"seconds\": %.3f, \"per_second\": %.0f, "
      "\"cpu_us_per_record\": %.4f}\n",
      argv[1], tally.records, static_cast<unsigned long long>(tally.bytes), static_cast<unsigned long long>(tally.sum),
      seconds, count / seconds, cpu * 1e6 / count);
  std::fflush(stdout);
  std::_Exit(0);
}
