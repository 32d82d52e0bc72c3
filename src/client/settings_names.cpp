// Names that are wrong: what was meant.

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "client/settings_values.h"
#include "config/client_tables.h"
#include "config/nearest.h"

namespace barnabas::client {
namespace {

struct ForeignName {
  std::string_view name;
  std::string_view instead;  // a key, or with a space in it a sentence
};

// librdkafka's names, and Java's of long ago.
constexpr ForeignName kForeignNames[] = {
    {"api.version.request", "versions are always asked for; leave it out"},
    {"auto.commit.enable", "enable.auto.commit"},
    {"batch.num.messages", "batch.size"},
    {"block.on.buffer.full", "max.block.ms"},
    {"broker.address.family", "addresses of both families are tried; leave it out"},
    {"compression.codec", "compression.type"},
    {"compression.level", "compression.gzip.level, compression.lz4.level or compression.zstd.level"},
    {"debug", "log lines are chosen with RuntimeOptions::log_level"},
    {"enable.auto.offset.store", "enable.auto.commit=false and Consumer::commit"},
    {"enable.partition.eof", "Consumer::current_lag tells when the end is reached"},
    {"enable.ssl.certificate.verification", "ssl.truststore.location names the certificates to trust"},
    {"fetch.error.backoff.ms", "retry.backoff.ms"},
    {"fetch.message.max.bytes", "max.partition.fetch.bytes"},
    {"fetch.wait.max.ms", "fetch.max.wait.ms"},
    {"log_level", "log lines are chosen with RuntimeOptions::log_level"},
    {"max.in.flight", "max.in.flight.requests.per.connection"},
    {"message.max.bytes", "max.request.size"},
    {"message.send.max.retries", "retries"},
    {"message.timeout.ms", "delivery.timeout.ms"},
    {"metadata.broker.list", "bootstrap.servers"},
    {"metadata.fetch.timeout.ms", "max.block.ms"},
    {"partitioner", "partitioner.class, or ProducerOptions::partitioner"},
    {"queue.buffering.max.kbytes", "buffer.memory (in bytes)"},
    {"queue.buffering.max.messages", "buffer.memory (in bytes)"},
    {"queue.buffering.max.ms", "linger.ms"},
    {"queued.max.messages.kbytes", "fetch.max.bytes"},
    {"queued.min.messages", "fetch.max.bytes"},
    {"request.required.acks", "acks"},
    {"sasl.mechanisms", "sasl.mechanism"},
    {"socket.connection.setup.timeout", "socket.connection.setup.timeout.ms"},
    {"socket.keepalive.enable", "connections.max.idle.ms"},
    {"socket.receive.buffer.bytes", "receive.buffer.bytes"},
    {"socket.send.buffer.bytes", "send.buffer.bytes"},
    {"socket.timeout.ms", "request.timeout.ms"},
    {"ssl.ca.location", "ssl.truststore.location"},
    {"ssl.ca.pem", "ssl.truststore.certificates"},
    {"ssl.certificate.location", "ssl.keystore.location (a PEM file with certificate and key)"},
    {"ssl.certificate.pem", "ssl.keystore.certificate.chain"},
    {"ssl.key.location", "ssl.keystore.location (a PEM file with certificate and key)"},
    {"ssl.key.pem", "ssl.keystore.key"},
    {"statistics.interval.ms", "Producer::metrics"},
    {"topic.metadata.refresh.interval.ms", "metadata.max.age.ms"},
    {"zookeeper.connect", "bootstrap.servers"},
};

bool is_sentence(std::string_view text) {
  return text.find("; ") != std::string_view::npos || text.starts_with("log lines") || text.starts_with("Consumer::") ||
         text.starts_with("ssl.truststore.location names");
}

std::string what_instead(std::string_view name) {
  const auto foreign = std::ranges::find(kForeignNames, name, &ForeignName::name);
  if (foreign != std::end(kForeignNames))
    return fmt::format("{}{}", is_sentence(foreign->instead) ? "" : "here it is ", foreign->instead);
  std::vector<std::string_view> names;
  for (const config::KeyTable* table :
       {&config::client_keys(), &config::producer_keys(), &config::consumer_keys(), &config::admin_keys()})
    for (const config::KeyInfo& row : table->rows()) names.push_back(row.name);
  const bool topics = config::topic_keys().find(name) != nullptr;
  if (topics) return "it is a key of topics, not of clients";
  const bool brokers = config::find_node_key(name) != nullptr;
  if (brokers) return "it is a key of brokers, not of clients";
  const std::string_view near = config::nearest_word(names, name);
  return near.empty() ? "no client of Kafka has it" : fmt::format("did you mean '{}'?", near);
}

}  // namespace

Error unknown_key(std::string_view name) {
  return config_error(fmt::format("unknown configuration key '{}': {}", name, what_instead(name)));
}

}  // namespace barnabas::client
