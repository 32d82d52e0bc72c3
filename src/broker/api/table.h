// Every API this broker serves, said once: BARNABAS_SERVED(Name, broker listener, controller listener).
// ApiVersions advertises what is here and nothing else.
#define BARNABAS_SERVED_APIS(X)          \
  X(Produce, true, false)                \
  X(Fetch, true, false)                  \
  X(ListOffsets, true, false)            \
  X(Metadata, true, false)               \
  X(OffsetCommit, true, false)           \
  X(OffsetFetch, true, false)            \
  X(FindCoordinator, true, false)        \
  X(JoinGroup, true, false)              \
  X(Heartbeat, true, false)              \
  X(LeaveGroup, true, false)             \
  X(SyncGroup, true, false)              \
  X(DescribeGroups, true, false)         \
  X(ListGroups, true, false)             \
  X(SaslHandshake, true, true)           \
  X(ApiVersions, true, true)             \
  X(CreateTopics, true, true)            \
  X(DeleteTopics, true, true)            \
  X(DeleteRecords, true, false)          \
  X(InitProducerId, true, false)         \
  X(OffsetForLeaderEpoch, true, false)   \
  X(DescribeConfigs, true, true)         \
  X(AlterConfigs, true, true)            \
  X(DescribeLogDirs, true, false)        \
  X(SaslAuthenticate, true, true)        \
  X(CreatePartitions, true, true)        \
  X(DeleteGroups, true, false)           \
  X(ElectLeaders, true, true)            \
  X(IncrementalAlterConfigs, true, true) \
  X(OffsetDelete, true, false)           \
  X(DescribeQuorum, true, true)          \
  X(UpdateFeatures, true, true)          \
  X(DescribeCluster, true, true)         \
  X(DescribeProducers, true, false)      \
  X(UnregisterBroker, true, true)        \
  X(ListConfigResources, true, false)    \
  X(DescribeTopicPartitions, true, false)
