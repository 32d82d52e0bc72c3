// DescribeLogDirs: this broker's directories, what is in them and how much room is left. It asks the file system, so it
// runs on a worker.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/partition.h"
#include "broker/replicas.h"
#include "runtime/sleep.h"
#include "wire/messages/describe_log_dirs_request.h"
#include "wire/messages/describe_log_dirs_response.h"

namespace barnabas::broker {

using wire::DescribeLogDirsRequest;
using wire::DescribeLogDirsResponse;
using wire::KafkaError;

namespace {

using Result = DescribeLogDirsResponse::DescribeLogDirsResult;
using Wanted = std::optional<std::set<std::pair<std::string_view, int32_t>>>;  // none: all

Wanted wanted_of(const DescribeLogDirsRequest& request) {
  if (!request.topics) return std::nullopt;
  Wanted wanted(std::in_place);
  for (const auto& topic : *request.topics) {
    for (int32_t partition : topic.partitions) wanted->emplace(topic.topic, partition);
  }
  return wanted;
}

bool is_cordoned(Broker& broker, const Uuid& directory) {
  metadata::ImagePtr image = broker.image();
  const metadata::Broker* self = image->broker(broker.id());
  if (!self || !self->cordoned_log_dirs) return false;
  return std::ranges::find(*self->cordoned_log_dirs, directory) != self->cordoned_log_dirs->end();
}

void add_partitions(Result& result, const Replicas::DirStatus& dir, const Wanted& wanted) {
  std::map<std::string, std::vector<DescribeLogDirsResponse::DescribeLogDirsPartition>> topics;
  for (const auto& partition : dir.partitions) {
    const PartitionName& name = partition->name();
    if (wanted && !wanted->contains({name.topic, name.index})) continue;
    auto status = partition->status();
    auto& row = topics[name.topic].emplace_back();
    row.partition_index = name.index;
    row.partition_size = static_cast<int64_t>(status.size_bytes);
    row.offset_lag = std::max<int64_t>(status.high_watermark - status.log_end, 0);
  }
  for (auto& [name, partitions] : topics) {
    auto& topic = result.topics.emplace_back();
    topic.name = name;
    topic.partitions = std::move(partitions);
  }
}

DescribeLogDirsResponse describe(Broker& broker, const DescribeLogDirsRequest& request) {
  const Wanted wanted = wanted_of(request);
  DescribeLogDirsResponse response;
  for (const Replicas::DirStatus& dir : broker.replicas().dirs()) {
    auto& result = response.results.emplace_back();
    result.log_dir = dir.path;
    result.is_cordoned = is_cordoned(broker, dir.id);
    if (dir.offline) {
      result.error_code = KafkaError::kKafkaStorageError;
      continue;
    }
    if (dir.total_bytes > 0) result.total_bytes = static_cast<int64_t>(dir.total_bytes);
    if (dir.usable_bytes > 0) result.usable_bytes = static_cast<int64_t>(dir.usable_bytes);
    add_partitions(result, dir, wanted);
  }
  return response;
}

}  // namespace

runtime::Task<DescribeLogDirsResponse> handle(Caller& caller, DescribeLogDirsRequest request, Broker& broker) {
  auto work = [&broker, &request] { return describe(broker, request); };
  auto response = co_await runtime::run_blocking(broker.world().workers, caller.loop, work);
  co_return response;
}

BARNABAS_API(DescribeLogDirs)

}  // namespace barnabas::broker
