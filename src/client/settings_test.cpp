#include "client/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "client/settings_security.h"

namespace barnabas::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Config with(std::initializer_list<std::pair<const std::string, std::string>> entries) {
  Config config{{"bootstrap.servers", "localhost:9092"}};
  config.merge(Config(entries));
  return config;
}

template <class Settings>
std::string message(const Result<Settings>& settings) {
  if (settings) return "no error";
  EXPECT_EQ(settings.error().kind, Error::Kind::kConfig);
  return settings.error().message;
}

std::string producer_error(std::initializer_list<std::pair<const std::string, std::string>> entries) {
  return message(producer_settings(with(entries)));
}
std::string consumer_error(std::initializer_list<std::pair<const std::string, std::string>> entries) {
  return message(consumer_settings(with(entries)));
}

TEST(Config, ReadsAJavaPropertiesFile) {
  const auto config = Config::parse("# who\nbootstrap.servers = a:1,b:2\nlinger.ms:7\nclient.id=caf\\u00e9\n");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(*config->find("bootstrap.servers"), "a:1,b:2");
  EXPECT_EQ(*config->find("linger.ms"), "7");
  EXPECT_EQ(*config->find("client.id"), "café");
  EXPECT_EQ(config->find("acks"), nullptr);
}

TEST(Config, NamesTheFileAndTheLineThatIsMalformed) {
  const auto file = std::filesystem::path(testing::TempDir()) / "malformed.properties";
  std::ofstream(file) << "a=b\nc=\\uXYZW\n";
  const auto config = Config::load(file);
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().kind, Error::Kind::kConfig);
  EXPECT_THAT(config.error().message, StartsWith(file.string() + ": line 2: "));
  const auto missing = Config::load(file.string() + ".not");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, Error::Kind::kIo);
  EXPECT_THAT(missing.error().message, HasSubstr("No such file or directory"));
  EXPECT_EQ(Config::load(testing::TempDir()).error().kind, Error::Kind::kIo) << "a directory";
  std::ofstream(file, std::ios::trunc);
  EXPECT_TRUE(Config::load(file).has_value()) << "an empty file";
}

TEST(Settings, DefaultsAreJavas) {
  const auto producer = producer_settings(with({}));
  ASSERT_TRUE(producer.has_value()) << producer.error().message;
  EXPECT_EQ(producer->acks, -1);
  EXPECT_TRUE(producer->idempotence);
  EXPECT_EQ(producer->linger_ms, 5);
  EXPECT_EQ(producer->batch_bytes, 16384);
  EXPECT_EQ(producer->buffer_memory_bytes, 33554432);
  EXPECT_EQ(producer->delivery_timeout_ms, 120000);
  EXPECT_EQ(producer->receive_buffer_bytes, 32768);
  EXPECT_EQ(producer->connections_max_idle_ms, 540000);
  EXPECT_TRUE(producer->rebootstrap);
  EXPECT_EQ(producer->compression, wire::Compression{});
  const auto consumer = consumer_settings(with({{"group.id", "g"}}));
  ASSERT_TRUE(consumer.has_value()) << consumer.error().message;
  EXPECT_THAT(consumer->assignors, ElementsAre("range", "cooperative-sticky"));
  EXPECT_TRUE(consumer->auto_commit);
  EXPECT_EQ(consumer->offset_reset, OffsetReset::kLatest);
  EXPECT_EQ(consumer->receive_buffer_bytes, 65536);
  EXPECT_FALSE(consumer->consumer_protocol);
  const auto admin = admin_settings(with({}));
  ASSERT_TRUE(admin.has_value()) << admin.error().message;
  EXPECT_EQ(admin->connections_max_idle_ms, 300000);
  EXPECT_EQ(admin->default_api_timeout_ms, 60000);
}

TEST(Settings, ReadWhatIsSet) {
  const auto settings =
      producer_settings(with({{"acks", "1"},
                              {"compression.type", "zstd"},
                              {"compression.zstd.level", "-3"},
                              {"linger.ms", " 20 "},
                              {"metadata.recovery.strategy", "NONE"},
                              {"reconnect.backoff.ms", "5000"},
                              {"partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner"},
                              {"client.id", "me"}}));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->acks, 1);
  EXPECT_EQ(settings->compression, (wire::Compression{.codec = wire::Codec::kZstd, .level = -3}));
  EXPECT_EQ(settings->linger_ms, 20);
  EXPECT_FALSE(settings->rebootstrap);
  EXPECT_EQ(settings->reconnect_backoff_max_ms, 5000) << "no longer pause was asked for";
  EXPECT_TRUE(settings->round_robin_partitioner);
  EXPECT_EQ(settings->client_id, "me");
}

TEST(Settings, BootstrapServersMayBeNamesAndAddressesOfBothKinds) {
  const auto settings = admin_settings({{"bootstrap.servers", "a.example:1, [::1]:2,::1:3,SSL://b:4,127.0.0.1:5"}});
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  using runtime::Endpoint;
  EXPECT_THAT(settings->bootstrap, ElementsAre(Endpoint{"a.example", 1}, Endpoint{"::1", 2}, Endpoint{"::1", 3},
                                               Endpoint{"b", 4}, Endpoint{"127.0.0.1", 5}));
}

TEST(Settings, ABootstrapServerThatIsNoneIsNamed) {
  EXPECT_EQ(producer_error({{"bootstrap.servers", "localhost"}}),
            "Invalid url in bootstrap.servers: localhost: write it as host:port, such as localhost:9092");
  EXPECT_THAT(producer_error({{"bootstrap.servers", "localhost:99999"}}), StartsWith("Invalid port in bootstrap"));
  EXPECT_THAT(producer_error({{"bootstrap.servers", "a b:1"}}), StartsWith("Invalid url in bootstrap.servers: a b:1"));
  EXPECT_THAT(producer_error({{"bootstrap.servers", "a:1,,b:2"}}), HasSubstr("must not be empty"));
  EXPECT_THAT(producer_error({{"bootstrap.servers", ""}}), StartsWith("bootstrap.servers is missing"));
  EXPECT_THAT(message(consumer_settings(Config{})), StartsWith("bootstrap.servers is missing"));
}

TEST(Settings, AWrongNameIsAnErrorThatNamesTheNearest) {
  EXPECT_EQ(producer_error({{"linger.mss", "1"}}), "unknown configuration key 'linger.mss': did you mean 'linger.ms'?");
  EXPECT_EQ(consumer_error({{"auto.offset.rest", "latest"}}),
            "unknown configuration key 'auto.offset.rest': did you mean 'auto.offset.reset'?");
  EXPECT_EQ(producer_error({{"bootstrap.server", "a:1"}}),
            "unknown configuration key 'bootstrap.server': did you mean 'bootstrap.servers'?");
  EXPECT_EQ(producer_error({{"colour", "blue"}}), "unknown configuration key 'colour': no client of Kafka has it");
  EXPECT_EQ(producer_error({{"retention.ms", "1"}}),
            "unknown configuration key 'retention.ms': it is a key of topics, not of clients");
  EXPECT_EQ(producer_error({{"node.id", "1"}}),
            "unknown configuration key 'node.id': it is a key of brokers, not of clients");
}

TEST(Settings, ANameOfAnotherLibraryIsAnErrorThatNamesJavas) {
  EXPECT_EQ(producer_error({{"queue.buffering.max.ms", "1"}}),
            "unknown configuration key 'queue.buffering.max.ms': here it is linger.ms");
  EXPECT_EQ(producer_error({{"sasl.mechanisms", "PLAIN"}}),
            "unknown configuration key 'sasl.mechanisms': here it is sasl.mechanism");
  EXPECT_EQ(consumer_error({{"enable.partition.eof", "true"}}),
            "unknown configuration key 'enable.partition.eof': Consumer::current_lag tells when the end is reached");
}

TEST(Settings, AWrongValueIsAnErrorThatSaysWhatMayStand) {
  EXPECT_EQ(producer_error({{"linger.ms", "-1"}}),
            "Invalid value -1 for configuration linger.ms: Value must be at least 0");
  EXPECT_EQ(producer_error({{"linger.ms", "5s"}}),
            "Invalid value 5s for configuration linger.ms: Not a number of type LONG");
  EXPECT_EQ(producer_error({{"compression.type", "zstdd"}}),
            "Invalid value zstdd for configuration compression.type: String must be one of: none, gzip, snappy, lz4, "
            "zstd: did you mean 'zstd'?");
  EXPECT_THAT(producer_error({{"acks", "2"}}), HasSubstr("must be one of: all, -1, 0, 1"));
  EXPECT_THAT(consumer_error({{"isolation.level", "READ_COMMITTED"}}), HasSubstr("did you mean 'read_committed'?"));
  EXPECT_THAT(consumer_error({{"auto.offset.reset", "smallest"}}), HasSubstr("'earliest', 'latest', 'none'"));
  EXPECT_THAT(consumer_error({{"partition.assignment.strategy", "rang"}}), HasSubstr("did you mean 'range'?"));
  EXPECT_THAT(producer_error({{"partitioner.class", "com.example.Mine"}}), HasSubstr("ProducerOptions::partitioner"));
}

TEST(Settings, KeysOfOtherKindsOfClientsAreLeftAside) {
  EXPECT_EQ(consumer_error({{"acks", "1"}, {"linger.ms", "nonsense"}}), "no error");
  EXPECT_EQ(producer_error({{"group.id", "g"}, {"auto.offset.reset", "earliest"}}), "no error");
}

TEST(Settings, KeysThatOnlyJavaCanUseAreTaken) {
  EXPECT_EQ(producer_error({{"key.serializer", "org.apache.kafka.common.serialization.StringSerializer"},
                            {"interceptor.classes", "com.example.Audit"},
                            {"metric.reporters", ""},
                            {"sasl.login.class", "x"}}),
            "no error");
}

TEST(Settings, IdempotenceIsGivenUpQuietlyUnlessItWasAskedFor) {
  EXPECT_FALSE(producer_settings(with({{"acks", "1"}}))->idempotence);
  EXPECT_FALSE(producer_settings(with({{"retries", "0"}}))->idempotence);
  EXPECT_THAT(producer_error({{"enable.idempotence", "true"}, {"acks", "1"}}), StartsWith("Must set acks to all"));
  EXPECT_THAT(producer_error({{"enable.idempotence", "true"}, {"retries", "0"}}), StartsWith("Must set retries"));
  EXPECT_THAT(producer_error({{"max.in.flight.requests.per.connection", "6"}}), HasSubstr("at most 5"));
  EXPECT_EQ(producer_error({{"max.in.flight.requests.per.connection", "6"}, {"enable.idempotence", "false"}}),
            "no error");
}

TEST(Settings, TransactionsNeedIdempotence) {
  EXPECT_EQ(producer_error({{"transactional.id", "t"}, {"enable.idempotence", "false"}}),
            "Cannot set a transactional.id without also enabling idempotence.");
  EXPECT_THAT(producer_error({{"transactional.id", "t"}, {"acks", "1"}}), StartsWith("Cannot set a transactional.id"));
  EXPECT_EQ(producer_settings(with({{"transactional.id", "t"}}))->transactional_id, "t");
  EXPECT_EQ(producer_settings(with({{"transactional.id", "t"}}))->client_id, "producer-t");
  EXPECT_THAT(producer_error({{"transaction.two.phase.commit.enable", "true"}}), HasSubstr("not supported"));
}

TEST(Settings, TheDeliveryTimeoutCoversLingerAndOneRequest) {
  EXPECT_THAT(producer_error({{"delivery.timeout.ms", "1000"}}), HasSubstr("set it to 30005 or more"));
  EXPECT_EQ(producer_settings(with({{"request.timeout.ms", "130000"}}))->delivery_timeout_ms, 130005);
}

TEST(Settings, AGroupIdMustSaySomething) {
  EXPECT_THAT(consumer_error({{"group.id", " "}}), HasSubstr("group.id should not be an empty string"));
  EXPECT_THAT(consumer_error({{"group.id", "g"}, {"group.instance.id", "a/b"}}), HasSubstr("'a/b'"));
  EXPECT_FALSE(consumer_settings(with({}))->auto_commit) << "nothing to commit in the name of";
  EXPECT_THAT(consumer_error({{"enable.auto.commit", "true"}}), HasSubstr("without a group.id"));
}

TEST(Settings, EachGroupProtocolRefusesTheKeysOfTheOther) {
  for (const char* key : {"session.timeout.ms", "heartbeat.interval.ms"})
    EXPECT_THAT(consumer_error({{"group.id", "g"}, {"group.protocol", "consumer"}, {key, "1000"}}),
                HasSubstr(std::string(key) + " cannot be set when group.protocol=CONSUMER"));
  EXPECT_THAT(consumer_error({{"group.protocol", "Consumer"}, {"partition.assignment.strategy", "range"}}),
              HasSubstr("see group.remote.assignor"));
  EXPECT_THAT(consumer_error({{"group.remote.assignor", "uniform"}}), HasSubstr("group.protocol=CLASSIC"));
  const auto settings = consumer_settings(with({{"group.protocol", "consumer"}, {"group.remote.assignor", "uniform"}}));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_TRUE(settings->consumer_protocol);
  EXPECT_EQ(settings->group_remote_assignor, "uniform");
  EXPECT_THAT(consumer_error({{"heartbeat.interval.ms", "45000"}}), HasSubstr("lower than session.timeout.ms"));
}

TEST(Settings, AssignorsAreNamedShortOrAsInJava) {
  const auto settings = consumer_settings(
      with({{"partition.assignment.strategy",
             "org.apache.kafka.clients.consumer.CooperativeStickyAssignor, sticky,RoundRobinAssignor"}}));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_THAT(settings->assignors, ElementsAre("cooperative-sticky", "sticky", "roundrobin"));
}

TEST(Settings, AnOffsetMayBeResetByDuration) {
  const auto settings = consumer_settings(with({{"auto.offset.reset", "by_duration:P1DT1H30M0.5S"}}));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->offset_reset, OffsetReset::kByDuration);
  EXPECT_EQ(settings->offset_reset_duration_ms, 91800500);
  EXPECT_EQ(consumer_settings(with({{"auto.offset.reset", "none"}}))->offset_reset, OffsetReset::kNone);
}

TEST(Settings, AShareConsumerRefusesWhatTheGroupDecides) {
  const auto share_error = [](std::initializer_list<std::pair<const std::string, std::string>> entries) {
    return message(share_consumer_settings(with({{"group.id", "g"}}).merge(Config(entries))));
  };
  for (const char* key : {"auto.offset.reset=latest", "enable.auto.commit=false", "session.timeout.ms=1"}) {
    const std::string text(key);
    const size_t equals = text.find('=');
    EXPECT_EQ(share_error({{text.substr(0, equals), text.substr(equals + 1)}}),
              text.substr(0, equals) + " cannot be set when using a share group.");
  }
  const auto settings = share_consumer_settings(
      with({{"group.id", "g"}, {"share.acknowledgement.mode", "explicit"}, {"share.acquire.mode", "record_limit"}}));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_TRUE(settings->share_explicit_acknowledgement);
  EXPECT_TRUE(settings->share_record_limit);
  EXPECT_THAT(message(share_consumer_settings(with({}))), HasSubstr("needs a group.id"));
}

TEST(Settings, AnAdminClientTalksToBrokersOrToControllers) {
  const auto settings = admin_settings({{"bootstrap.controllers", "c:1"}});
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_TRUE(settings->bootstrap_is_controllers);
  EXPECT_EQ(settings->bootstrap.at(0).host, "c");
  EXPECT_THAT(message(admin_settings(with({{"bootstrap.controllers", "c:1"}}))), HasSubstr("cannot set both"));
  EXPECT_THAT(message(admin_settings(with({{"default.api.timeout.ms", "10"}}))), HasSubstr("no smaller"));
  EXPECT_EQ(admin_settings(with({{"request.timeout.ms", "70000"}}))->default_api_timeout_ms, 70000);
}

TEST(Jaas, EntriesAreReadAsJavaReadsThem) {
  const auto entry = parse_jaas(
      "org.apache.kafka.common.security.plain.PlainLoginModule required\n"
      "  username=\"a\" password=\"b\\\"q\\\\x\" other='c d' plain=e;");
  ASSERT_TRUE(entry.has_value()) << entry.error().message;
  EXPECT_EQ(entry->module, "org.apache.kafka.common.security.plain.PlainLoginModule");
  EXPECT_EQ(entry->options.at("username"), "a");
  EXPECT_EQ(entry->options.at("password"), "b\"q\\x");
  EXPECT_EQ(entry->options.at("other"), "c d");
  EXPECT_EQ(entry->options.at("plain"), "e");
}

TEST(Jaas, MalformedEntriesAreExplained) {
  for (const char* text : {"", ";", "Module", "Module required", "Module optionally a=b;", "Module required a=;",
                           "Module required a b;", "Module required a=\"b;", "Module required a=\"b\"", "= required;"})
    EXPECT_THAT(message(parse_jaas(text)), StartsWith("sasl.jaas.config ")) << text;
}

TEST(Settings, SaslNeedsAMechanismAndAUser) {
  const std::string plain =
      "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=p;";
  const auto settings = producer_settings(
      with({{"security.protocol", "sasl_plaintext"}, {"sasl.mechanism", "PLAIN"}, {"sasl.jaas.config", plain}}));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->security, SecurityProtocol::kSaslPlaintext);
  EXPECT_EQ(settings->sasl.username, "u");
  EXPECT_EQ(settings->sasl.password, "p");
  EXPECT_THAT(producer_error({{"security.protocol", "SASL_SSL"}}), HasSubstr("GSSAPI (the default) is not supported"));
  EXPECT_THAT(producer_error({{"security.protocol", "SASL_SSL"}, {"sasl.mechanism", "OAUTHBEARER"}}),
              HasSubstr("set it to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"));
  EXPECT_THAT(producer_error({{"security.protocol", "SASL_SSL"}, {"sasl.mechanism", "PLAIN"}}),
              HasSubstr("no user is named: set sasl.jaas.config"));
  EXPECT_THAT(
      producer_error(
          {{"security.protocol", "SASL_SSL"}, {"sasl.mechanism", "SCRAM-SHA-256"}, {"sasl.jaas.config", plain}}),
      HasSubstr("needs ScramLoginModule"));
  EXPECT_EQ(producer_error({{"sasl.mechanism", "GSSAPI"}}), "no error") << "not used without SASL";
}

TEST(Settings, TlsTakesFilesOrText) {
  const auto file = std::filesystem::path(testing::TempDir()) / "trust.pem";
  std::ofstream(file) << "trusted";
  const auto settings = producer_settings(with({{"security.protocol", "SSL"},
                                                {"ssl.truststore.location", file.string()},
                                                {"ssl.keystore.key", "key"},
                                                {"ssl.keystore.certificate.chain", "chain"},
                                                {"ssl.endpoint.identification.algorithm", ""}}));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_FALSE(settings->tls.verify_host_name);
  const auto files = read_tls_files(settings->tls);
  ASSERT_TRUE(files.has_value()) << files.error().message;
  EXPECT_EQ(files->trust, "trusted");
  EXPECT_EQ(files->trust_type, "") << "JKS is Java's default, not what somebody said";
  EXPECT_EQ(files->key_store, "chain\nkey");
  EXPECT_THAT(files->protocols, ElementsAre("TLSv1.2", "TLSv1.3"));
}

TEST(Settings, TlsRefusesWhatItCannotDo) {
  const auto tls_error = [](std::initializer_list<std::pair<const std::string, std::string>> entries) {
    return message(producer_settings(with({{"security.protocol", "SSL"}}).merge(Config(entries))));
  };
  EXPECT_THAT(tls_error({{"ssl.enabled.protocols", "TLSv1.1"}}), HasSubstr("TLSv1.2 and TLSv1.3"));
  EXPECT_THAT(tls_error({{"ssl.truststore.type", "BKS"}}), HasSubstr("ssl.truststore.type"));
  EXPECT_THAT(tls_error({{"ssl.keystore.key", "x"}}), HasSubstr("need each other"));
  EXPECT_THAT(tls_error({{"ssl.endpoint.identification.algorithm", "LDAPS"}}), HasSubstr("must be https, or empty"));
  const auto missing = producer_settings(with({{"security.protocol", "SSL"}, {"ssl.truststore.location", "/no/such"}}));
  ASSERT_TRUE(missing.has_value());
  EXPECT_EQ(message(read_tls_files(missing->tls)),
            "ssl.truststore.location /no/such cannot be read: No such file or directory");
}

TEST(ConfigKeys, AreKafkasSortedWithWhatActs) {
  const auto keys = config_keys(ClientKind::kProducer);
  EXPECT_EQ(keys.size(), 115U) << "113 of Kafka's and two of librdkafka's";
  const auto linger = std::ranges::find(keys, "linger.ms", &ConfigKey::name);
  ASSERT_NE(linger, keys.end());
  EXPECT_EQ(linger->default_value, "5");
  EXPECT_EQ(linger->type, "long");
  EXPECT_TRUE(linger->acts);
  EXPECT_FALSE(std::ranges::find(keys, "key.serializer", &ConfigKey::name)->acts);
  EXPECT_TRUE(std::ranges::is_sorted(keys, {}, &ConfigKey::name));
}

}  // namespace
}  // namespace barnabas::client
