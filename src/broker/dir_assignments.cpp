#include "broker/dir_assignments.h"

#include <algorithm>

#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "metadata/features.h"
#include "runtime/sleep.h"
#include "wire/kafka_error.h"
#include "wire/messages/assign_replicas_to_dirs_request.h"
#include "wire/messages/assign_replicas_to_dirs_response.h"

namespace barnabas::broker {

using wire::AssignReplicasToDirsRequest;
using wire::KafkaError;

namespace {
constexpr size_t kRequestMax = 2250;  // Kafka's, so that the controller's batch stays small
constexpr Duration kGather = milliseconds(1);
constexpr Duration kRetryFirst = milliseconds(50);
constexpr Duration kRetryMost = seconds(10);

// The row for `key`, made at the end unless it is there already: what is asked for comes in order.
template <class Row, class Key>
Row& row_for(std::vector<Row>& rows, Key Row::* field, const Key& key) {
  if (rows.empty() || rows.back().*field != key) rows.emplace_back().*field = key;
  return rows.back();
}
}  // namespace

DirAssignments::DirAssignments(Broker& broker) : broker_(broker), scope_(broker.main_loop()) {}

void DirAssignments::add(const DirAssignment& assignment) {
  if (stopping_) return;
  pending_[{assignment.topic_id, assignment.partition}] = assignment.directory;
  if (running_) return;
  running_ = true;
  scope_.spawn(run(this));
}

runtime::Task<> DirAssignments::stop() {
  stopping_ = true;
  pending_.clear();
  scope_.cancel();
  co_await scope_.join();
}

runtime::Task<> DirAssignments::run(DirAssignments* self) {
  runtime::Executor& loop = self->broker_.main_loop();
  Duration wait = kGather;
  while (!self->pending_.empty()) {
    bool elapsed = co_await runtime::sleep_for(loop, wait, self->scope_.token());
    if (!elapsed) break;
    if (self->broker_.image()->metadata_version() < metadata::kMvDirectories) {
      self->pending_.clear();  // the log has no room for it
      break;
    }
    auto response = co_await self->broker_.controller().assign_replicas_to_dirs(loop, self->next_request());
    bool settled = self->settle(response) > 0;
    wait = settled ? kGather : std::clamp(2 * wait, kRetryFirst, kRetryMost);
  }
  self->running_ = false;
}

AssignReplicasToDirsRequest DirAssignments::next_request() const {
  AssignReplicasToDirsRequest request;
  request.broker_id = broker_.id().value;
  metadata::ImagePtr image = broker_.image();
  const metadata::Broker* registered = image->broker(broker_.id());
  request.broker_epoch = registered ? registered->epoch.value : -1;
  using Directory = AssignReplicasToDirsRequest::DirectoryData;
  std::map<Uuid, Directory> directories;
  size_t count = 0;
  for (const auto& [key, directory] : pending_) {
    if (count++ == kRequestMax) break;
    auto& row = directories[directory];
    row.id = directory;
    auto& topic = row_for(row.topics, &AssignReplicasToDirsRequest::TopicData::topic_id, key.first);
    topic.partitions.emplace_back().partition_index = key.second;
  }
  for (auto& [id, row] : directories) request.directories.push_back(std::move(row));
  return request;
}

size_t DirAssignments::settle(const wire::AssignReplicasToDirsResponse& response) {
  if (response.error_code != KafkaError::kNone) return 0;
  size_t settled = 0;
  for (const auto& directory : response.directories) {
    for (const auto& topic : directory.topics) {
      for (const auto& partition : topic.partitions) {
        // Of what is gone nobody needs to know any more.
        bool over = partition.error_code == KafkaError::kNone || partition.error_code == KafkaError::kUnknownTopicId ||
                    partition.error_code == KafkaError::kUnknownTopicOrPartition ||
                    partition.error_code == KafkaError::kNotLeaderOrFollower;
        auto asked = pending_.find({topic.topic_id, partition.partition_index});
        if (!over || asked == pending_.end() || asked->second != directory.id) continue;
        pending_.erase(asked);
        ++settled;
      }
    }
  }
  return settled;
}

}  // namespace barnabas::broker
