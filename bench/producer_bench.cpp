// Produces records with Barnabas' C++ client or with librdkafka, against a running broker, and says what each cost:
// records per second and CPU per record of this process. producer_bench.py runs both in turns and compares.
//
//   producer_bench ours|rdkafka bootstrap topic record_bytes count [key=value…]
//
// The keys are Java's for ours and librdkafka's for librdkafka; common ones are spelled alike (acks, linger.ms,
// compression.type, batch.size). Records are reported in the cheapest way each client has.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "barnabas/producer.h"
#ifdef BARNABAS_HAVE_RDKAFKA
#include <librdkafka/rdkafka.h>
#endif

namespace {

struct Job {
  std::string bootstrap, topic;
  size_t record_bytes = 0;
  size_t count = 0;
  std::vector<std::pair<std::string, std::string>> settings;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Bytes of which about half can be compressed away: words from a small vocabulary between random ones.
std::vector<std::string> make_records(size_t size) {
  std::vector<std::string> records(1024);
  uint64_t state = 42;
  auto next = [&] { return state = state * 6364136223846793005ULL + 1442695040888963407ULL, state >> 33; };
  for (std::string& record : records) {
    while (record.size() < size) {
      if (next() % 2 == 0) {
        record += "\"field" + std::to_string(next() % 8) + "\":";
      } else {
        record += std::to_string(next());
      }
    }
    record.resize(size);
  }
  return records;
}

int produce_with_ours(const Job& job, const std::vector<std::string>& records, std::atomic<size_t>& failed) {
  barnabas::client::Config config{{"bootstrap.servers", job.bootstrap}};
  for (const auto& [key, value] : job.settings) config.set(key, value);
  barnabas::client::ProducerOptions options;
  options.on_delivery = [&](const barnabas::client::DeliveryReport& report) {
    if (report.error == nullptr) return;
    if (failed.fetch_add(report.tags.size()) == 0) std::fprintf(stderr, "%s\n", report.error->to_string().c_str());
  };
  auto producer = barnabas::client::Producer::create(config, std::move(options));
  if (!producer) {
    std::fprintf(stderr, "%s\n", producer.error().to_string().c_str());
    return 1;
  }
  for (size_t i = 0; i < job.count; ++i) {
    auto taken = producer->send_tagged({.topic = job.topic, .value = records[i % records.size()]}, i);
    if (!taken) {
      std::fprintf(stderr, "%s\n", taken.error().to_string().c_str());
      return 1;
    }
  }
  auto flushed = producer->flush().get();
  return flushed ? 0 : 1;
}

#ifdef BARNABAS_HAVE_RDKAFKA
int produce_with_rdkafka(const Job& job, const std::vector<std::string>& records, std::atomic<size_t>& failed) {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  auto set = [&](const char* key, const char* value) {
    if (rd_kafka_conf_set(conf, key, value, why, sizeof why) == RD_KAFKA_CONF_OK) return true;
    std::fprintf(stderr, "%s\n", why);
    return false;
  };
  if (!set("bootstrap.servers", job.bootstrap.c_str())) return 1;
  for (const auto& [key, value] : job.settings) {
    if (!set(key.c_str(), value.c_str())) return 1;
  }
  rd_kafka_conf_set_opaque(conf, &failed);
  rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<std::atomic<size_t>*>(opaque)->fetch_add(1);
  });
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (producer == nullptr) return 1;
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, job.topic.c_str(), nullptr);
  for (size_t i = 0; i < job.count; ++i) {
    const std::string& record = records[i % records.size()];
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, const_cast<char*>(record.data()),
                            record.size(), nullptr, 0, nullptr) != 0) {
      rd_kafka_poll(producer, 10);  // its queue is full
    }
    if (i % 100 == 0) rd_kafka_poll(producer, 0);
  }
  rd_kafka_flush(producer, 120000);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
  return 0;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "Usage: producer_bench ours|rdkafka bootstrap topic record_bytes count [key=value...]\n");
    return 2;
  }
  Job job{.bootstrap = argv[2], .topic = argv[3], .record_bytes = std::stoul(argv[4]), .count = std::stoul(argv[5])};
  for (int i = 6; i < argc; ++i) {
    const char* equals = std::strchr(argv[i], '=');
    if (equals == nullptr) return 2;
    job.settings.emplace_back(std::string(argv[i], static_cast<size_t>(equals - argv[i])), equals + 1);
  }
  auto records = make_records(job.record_bytes);
  std::atomic<size_t> failed{0};
  double cpu = cpu_seconds();
  auto began = std::chrono::steady_clock::now();
  int status = 2;
  if (std::string_view(argv[1]) == "ours") {
    status = produce_with_ours(job, records, failed);
#ifdef BARNABAS_HAVE_RDKAFKA
  } else {
    status = produce_with_rdkafka(job, records, failed);
#endif
  }
  if (status != 0) return status;
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  cpu = cpu_seconds() - cpu;
  auto count = static_cast<double>(job.count);
  std::printf(
      "{\"client\": \"%s\", \"records\": %zu, \"failed\": %zu, \"seconds\": %.3f, \"per_second\": %.0f, "
      "\"cpu_us_per_record\": %.4f}\n",
      argv[1], job.count, failed.load(), seconds, count / seconds, cpu * 1e6 / count);
  return failed == 0 ? 0 : 1;
}
