#include "config/node_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/broker_config.h"
#include "config/test_support.h"

namespace barnabas::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kCombined =
    "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n"
    "controller.listener.names=CONTROLLER\ncontroller.quorum.bootstrap.servers=127.0.0.1:9093\n";

std::vector<std::string> shown(const std::vector<Listener>& listeners) {
  std::vector<std::string> result;
  for (const Listener& listener : listeners) result.push_back(to_string(listener));
  return result;
}

TEST(NodeConfig, WithoutAFileIsOneCombinedNodeOnLoopback) {
  const auto node = load_node_config({.default_data_dir = "/data"});
  ASSERT_TRUE(node.has_value()) << node.error().message;
  EXPECT_TRUE(node->is_broker && node->is_controller);
  EXPECT_EQ(node->node_id, 1);
  EXPECT_THAT(shown(node->listeners), ElementsAre("PLAINTEXT://127.0.0.1:9092", "CONTROLLER://127.0.0.1:9093"));
  EXPECT_THAT(node->log_dirs, ElementsAre("/data"));
  EXPECT_EQ(node->metadata_log_dir, "/data");
  EXPECT_EQ(node->inter_broker_listener_name, "PLAINTEXT");
  EXPECT_EQ(node->protocols.at("CONTROLLER"), SecurityProtocol::kPlaintext);
  EXPECT_THAT(node->quorum_bootstrap_servers, ElementsAre(HostPort{"127.0.0.1", 9093}));
  EXPECT_EQ(node->durability, Durability::kFsync);
  EXPECT_THAT(node->warnings, IsEmpty());
}

TEST(NodeConfig, WithoutAFileTheQuorumFollowsAnOverriddenListener) {
  const auto node =
      load_node_config({.overrides = {"listeners=PLAINTEXT://:0,CONTROLLER://:7", "log.dirs=/a,/b", "node.id=5"},
                        .default_data_dir = "/data"});
  ASSERT_TRUE(node.has_value()) << node.error().message;
  EXPECT_THAT(node->quorum_bootstrap_servers, ElementsAre(HostPort{"127.0.0.1", 7}));
  EXPECT_THAT(node->log_dirs, ElementsAre("/a", "/b"));
  EXPECT_EQ(node->node_id, 5);
}

TEST(NodeConfig, AcceptsRealKafkaFilesUnchanged) {
  for (const char* file : {"golden.properties", "combined.properties", "stock.properties"}) {
    const auto node = load_node_config(source_of(read_test_file(file)));
    ASSERT_TRUE(node.has_value()) << file << ": " << node.error().message;
    for (const std::string& warning : node->warnings) EXPECT_THAT(warning, testing::Not(HasSubstr("unknown"))) << file;
  }
  const auto golden = load_node_config(source_of(read_test_file("golden.properties")));
  EXPECT_EQ(golden->protocols.at("SASL"), SecurityProtocol::kSaslPlaintext);
  EXPECT_EQ(golden->layers.number_with_synonyms("log.retention.ms"), -1);
  EXPECT_EQ(golden->layers.number("offsets.topic.num.partitions"), 3);
  EXPECT_EQ(golden->layers.file.at("broker.id"), "1");
}

TEST(NodeConfig, AnOverrideWinsAndTheLastOneOfThem) {
  const auto node =
      load_node_config(source_of(kCombined + "num.partitions=3\n", {"num.partitions=4", "num.partitions=5"}));
  ASSERT_TRUE(node.has_value());
  EXPECT_EQ(node->layers.number("num.partitions"), 5);
}

TEST(NodeConfig, AWrongValueNamesLineAndWhatWouldBeRight) {
  EXPECT_EQ(error_of(source_of(kCombined + "# more\nnum.partitions=many\n")),
            "server.properties:7: Invalid value many for configuration num.partitions: Not a number of type INT (int "
            "expected: at least 1; default 1)");
  EXPECT_EQ(error_of(source_of(kCombined, {"barnabas.durability=maybe"})),
            "--override: Invalid value maybe for configuration barnabas.durability: String must be one of: fsync, "
            "page-cache (string expected: one of fsync, page-cache; default fsync)");
}

TEST(NodeConfig, AnUnknownKeyIsAWarningWithTheNearestName) {
  const auto node = load_node_config(source_of(
      kCombined + "log.retention.hour=3\nmy.own.plugin.thing=1\nzookeeper.connect=z:2181\nbarnabas.durabilty=x\n"));
  ASSERT_TRUE(node.has_value());
  EXPECT_THAT(node->warnings,
              ElementsAre("server.properties:6: unknown key log.retention.hour is ignored; did you mean "
                          "log.retention.hours?",
                          "server.properties:7: unknown key my.own.plugin.thing is ignored",
                          "server.properties:8: zookeeper.connect was removed in Kafka 4.0 and is ignored; take the "
                          "line out",
                          "server.properties:9: unknown key barnabas.durabilty is ignored; did you mean "
                          "barnabas.durability?"));
}

TEST(NodeConfig, AKeyOfOneListenerCountsThereAndElsewhereTheNodesDoes) {
  const auto node =
      load_node_config(source_of(kCombined + "max.connections=50\nlistener.name.plaintext.max.connections=7\n"
                                             "listener.name.plaintext.max.connection.creation.rate=3\n"));
  ASSERT_TRUE(node.has_value()) << node.error().message;
  EXPECT_THAT(node->warnings, IsEmpty());
  EXPECT_THAT(node->keys_without_effect, IsEmpty());
  const SocketConfig sockets = resolve_broker_config(node->layers).sockets;
  EXPECT_EQ(sockets.max_connections, 50);
  EXPECT_EQ(sockets.listeners.at("PLAINTEXT"),
            (ListenerConfig{.max_connections = 7, .max_connection_creation_rate = 3}));
  EXPECT_EQ(sockets.listeners.at("CONTROLLER"), (ListenerConfig{.max_connections = 50}));
}

TEST(NodeConfig, ADynamicKeyOfOneListenerCountsBeforeAStaticOne) {
  auto node = load_node_config(source_of(kCombined + "listener.name.plaintext.max.connections=7\n"));
  ASSERT_TRUE(node.has_value()) << node.error().message;
  node->layers.cluster_default["listener.name.plaintext.max.connections"] = "9";
  node->layers.this_broker["max.connections"] = "5";
  const SocketConfig sockets = resolve_broker_config(node->layers).sockets;
  EXPECT_EQ(sockets.listeners.at("PLAINTEXT").max_connections, 9);
  EXPECT_EQ(sockets.listeners.at("CONTROLLER").max_connections, 5);
}

TEST(NodeConfig, WhatIsWrongForOneListenerIsAnError) {
  EXPECT_THAT(error_of(source_of(kCombined + "listener.name.plaintext.max.connections=few\n")),
              HasSubstr("server.properties:6: Invalid value few for configuration max.connections"));
}

TEST(NodeConfig, AKeyBehindAListenerThatDoesNothingThereIsAWarning) {
  const auto node = load_node_config(source_of(kCombined + "listener.name.plaintext.connections.max.idle.ms=5000\n"
                                                           "listener.name.internal.max.connections=5\n"
                                                           "listener.name.PLAINTEXT.max.connections=5\n"
                                                           "listener.name.plaintext.max.conections=5\n"));
  ASSERT_TRUE(node.has_value()) << node.error().message;
  EXPECT_THAT(node->warnings,
              UnorderedElementsAre(HasSubstr("connections.max.idle.ms counts for the whole node"),
                                   HasSubstr("listeners has no listener INTERNAL"),
                                   HasSubstr("the listener is written in lower case here"),
                                   HasSubstr("unknown key listener.name.plaintext.max.conections is ignored; did you "
                                             "mean max.connections?")));
}

TEST(NodeConfig, AKeySetTwiceIsAWarning) {
  const auto node = load_node_config(source_of("node.id=9\n" + kCombined));
  ASSERT_TRUE(node.has_value());
  EXPECT_EQ(node->node_id, 1);
  EXPECT_THAT(node->warnings, ElementsAre("server.properties:1: node.id is set again below; the last one counts"));
}

TEST(NodeConfig, KeysWithoutEffectAreListed) {
  const auto node = load_node_config(source_of(kCombined + "num.io.threads=9\n"));
  ASSERT_TRUE(node.has_value());
  EXPECT_THAT(node->keys_without_effect, ElementsAre("num.io.threads"));
}

TEST(NodeConfig, MissingRequiredKeysAreNamed) {
  EXPECT_THAT(error_of(source_of("node.id=1\n")), HasSubstr("Missing required configuration \"process.roles\""));
  EXPECT_THAT(error_of(source_of("process.roles=broker\n")), HasSubstr("Missing required configuration \"node.id\""));
  EXPECT_THAT(error_of(source_of("zookeeper.connect=z:2181\nbroker.id=0\n")), HasSubstr("ZooKeeper mode"));
}

TEST(NodeConfig, BrokerIdIsAnotherNameOfNodeId) {
  std::string text = kCombined;
  text.replace(text.find("node.id=1"), 9, "broker.id=4");
  const auto node = load_node_config(source_of(text));
  ASSERT_TRUE(node.has_value());
  EXPECT_EQ(node->node_id, 4);
  EXPECT_THAT(error_of(source_of(kCombined + "broker.id=2\n")),
              HasSubstr("You must set `node.id` to the same value as `broker.id`"));
}

struct WrongFile {
  const char* name;
  std::string text;
  const char* sentence;
};

class CrossKeyRules : public testing::TestWithParam<WrongFile> {};

TEST_P(CrossKeyRules, StopTheStartWithASentence) {
  EXPECT_THAT(error_of(source_of(GetParam().text)), HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Kafka, CrossKeyRules,
    testing::Values(
        WrongFile{"NoQuorum",
                  "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://:1,C://:2\n"
                  "controller.listener.names=C\n",
                  "either controller.quorum.bootstrap.servers must contain"},
        WrongFile{"VotersWithoutSelf", kCombined + "controller.quorum.voters=2@a:1\n",
                  "the node id 1 must be included in the set of voters"},
        WrongFile{"VoterTwice", kCombined + "controller.quorum.voters=1@a:1,1@b:1\n", "the voter 1 stands twice"},
        WrongFile{"ControllerNotListening",
                  kCombined + "controller.listener.names=OTHER\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,"
                              "CONTROLLER:PLAINTEXT\n",
                  "must only contain values appearing in the 'listeners'"},
        WrongFile{"BrokerListsController",
                  "process.roles=broker\nnode.id=1\nlisteners=PLAINTEXT://:1,C://:2\ncontroller.listener.names=C\n"
                  "controller.quorum.bootstrap.servers=a:1\n",
                  "must not contain a value appearing in the 'listeners'"},
        WrongFile{"ControllerListsBroker", kCombined + "process.roles=controller\n",
                  "must only contain KRaft controller listeners"},
        WrongFile{"UnknownListener", kCombined + "listeners=EXTERNAL://:1,CONTROLLER://:2\n",
                  "No security protocol defined for listener EXTERNAL"},
        WrongFile{"SamePort", kCombined + "listeners=PLAINTEXT://:1,CONTROLLER://:1\n", "a different port"},
        WrongFile{"SameName", kCombined + "listeners=PLAINTEXT://:1,PLAINTEXT://:2\n", "a different name"},
        WrongFile{"BadPort", kCombined + "listeners=PLAINTEXT://:70000\n", "is not NAME://host:port"},
        WrongFile{"AdvertisedAnyAddress", kCombined + "advertised.listeners=PLAINTEXT://0.0.0.0:9092\n",
                  "cannot use the nonroutable meta-address 0.0.0.0"},
        WrongFile{"AdvertisedUnknown",
                  kCombined + "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,X:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
                              "advertised.listeners=PLAINTEXT://a:1,X://a:2\n",
                  "must be equal to or a subset"},
        WrongFile{"TwoInterBrokerSettings",
                  kCombined + "inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT\n",
                  "Only one of inter.broker.listener.name and security.inter.broker.protocol"},
        WrongFile{"InterBrokerNotAdvertised", kCombined + "inter.broker.listener.name=SSL\n",
                  "must be a listener name defined in advertised.listeners"},
        WrongFile{"NoDirectory", kCombined + "log.dirs=\n", "At least one log directory"},
        WrongFile{"RetentionZero", kCombined + "log.retention.ms=0\n", "must be unlimited (-1)"},
        WrongFile{"DedupeBuffer", kCombined + "log.cleaner.threads=200\n", "at least 1MB per cleaner thread"},
        WrongFile{"FetchWait", kCombined + "replica.fetch.wait.max.ms=30001\n", "replica.socket.timeout.ms should"},
        WrongFile{"QueuedBytes", kCombined + "queued.max.request.bytes=1000\n", "must be larger or equal to"},
        WrongFile{"PerIpZero", kCombined + "max.connections.per.ip=0\n", "can be set to zero only if"},
        WrongFile{"IdleBelowDelay", kCombined + "connections.max.idle.ms=100\n", "should always be less than"},
        WrongFile{"GroupBounds", kCombined + "group.consumer.session.timeout.ms=44999\n",
                  "must be greater than or equal to group.consumer.min.session.timeout.ms"},
        WrongFile{"CompactionLag",
                  kCombined + "log.cleaner.min.compaction.lag.ms=5\nlog.cleaner.max.compaction.lag.ms=4\n",
                  "server.properties:6: conflict topic config setting"},
        WrongFile{"ForeignAuthorizer", kCombined + "authorizer.class.name=com.example.Mine\n",
                  "is a Java class that cannot run here"},
        WrongFile{"TopicPolicy", kCombined + "create.topic.policy.class.name=com.example.Policy\n",
                  "is a Java class that cannot run here"}),
    [](const auto& info) { return info.param.name; });

TEST(NodeConfig, AnIpv4AndAnIpv6ListenerMayShareAPort) {
  const auto node = load_node_config(
      source_of(kCombined + "listeners=PLAINTEXT://127.0.0.1:1,SSL://[::1]:1,CONTROLLER://127.0.0.1:2\n"
                            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:PLAINTEXT,CONTROLLER:PLAINTEXT\n"));
  ASSERT_TRUE(node.has_value()) << node.error().message;
  EXPECT_EQ(to_string(node->listeners[1]), "SSL://[::1]:1");
}

TEST(NodeConfig, ABrokerOnlyNodeKnowsItsControllersWithoutListening) {
  const auto node = load_node_config(
      source_of("process.roles=broker\nnode.id=2\nlisteners=PLAINTEXT://:9092\ncontroller.listener.names=CONTROLLER\n"
                "controller.quorum.voters=1@c:9093\n"));
  ASSERT_TRUE(node.has_value()) << node.error().message;
  EXPECT_FALSE(node->is_controller);
  EXPECT_THAT(node->quorum_voters, ElementsAre(Voter{1, {"c", 9093}}));
}

TEST(NodeConfig, VariablesComeFromTheirProviders) {
  NodeConfigSource source = source_of(kCombined +
                                      "config.providers=env\n"
                                      "config.providers.env.class=org.apache.kafka.common.config.provider."
                                      "EnvVarConfigProvider\n"
                                      "broker.rack=r-${env:ZONE}-${other:x}\n");
  source.variables = [](std::string_view, std::string_view path, std::string_view key) -> Result<std::string> {
    EXPECT_EQ(path, "");
    EXPECT_EQ(key, "ZONE");
    return "a";
  };
  const auto node = load_node_config(source);
  ASSERT_TRUE(node.has_value()) << node.error().message;
  EXPECT_EQ(node->rack, "r-a-${other:x}");
  EXPECT_THAT(node->warnings, IsEmpty());
}

TEST(NodeConfig, TheDefaultDataDirectoryFollowsTheEnvironment) {
  EXPECT_EQ(default_data_directory("/x", "/home/u"), "/x/barnabas");
  EXPECT_EQ(default_data_directory("", "/home/u"), "/home/u/.local/share/barnabas");
  EXPECT_EQ(default_data_directory("", ""), "./barnabas-data");
}

}  // namespace
}  // namespace barnabas::config
