// Fetcher: keeps records of the assigned partitions coming: for each broker one coroutine with one Fetch outstanding,
// on a connection of its own, in a fetch session (KIP-227). It runs ahead of poll() as far as kAheadBytes for each
// broker.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "client/consumer/context.h"
#include "client/consumer/fetch_session.h"

namespace barnabas::client {

class Fetcher {
 public:
  static constexpr size_t kAheadBytes = size_t{2} << 20;

  explicit Fetcher(ConsumerContext& context) : context_(context) {}

  // On the loop: partitions, leaders or what is ready have changed. Starts what is missing, wakes what waits.
  void wake();
  // Tells the brokers that the sessions end; before the cluster is closed.
  runtime::Task<> close(MonotonicTime deadline);

 private:
  struct Planned;
  struct Broker;

  runtime::Task<> run(std::shared_ptr<Broker> broker);
  runtime::Task<> fetch_once(std::shared_ptr<Broker> broker, std::vector<Planned> plan);
  std::vector<Planned> make_plan(int32_t broker, MonotonicTime& next);
  void settle(Broker& broker, const std::vector<Planned>& plan, const wire::FetchResponse& response,
              const std::shared_ptr<const Buffer>& frame, int16_t version);
  void settle_partition(const Planned& planned, const wire::FetchResponse::PartitionData& data,
                        const std::shared_ptr<const Buffer>& frame, int32_t broker);
  void settle_error(PartitionState& partition, const wire::FetchResponse::PartitionData& data, int32_t broker);
  void settle_records(const Planned& planned, const wire::FetchResponse::PartitionData& data,
                      const std::shared_ptr<const Buffer>& frame, int32_t broker);
  int32_t read_from(PartitionState& partition, MonotonicTime now) const;

  ConsumerContext& context_;
  std::map<int32_t, std::shared_ptr<Broker>> brokers_;
  bool refresh_ = false;  // an answer said that the metadata is old
};

}  // namespace barnabas::client
