// ShareConsumer: a member of a share group (KIP-932): many consumers work on the same partitions, each record goes to
// one of them at a time, and is acknowledged on its own. Needs a cluster with share groups (Kafka 4.2 or later).
//
// One thread at a time calls a ShareConsumer; wakeup() may come from any. What poll() hands out is locked for this
// consumer for a while (group.share.record.lock.duration.ms, 30 s by default); then others get it.
//
// share.acknowledgement.mode=implicit (the default): poll() and commit() accept everything that the poll() before
// handed out. explicit: each record is acknowledged by acknowledge() before the next poll(), else that fails with
// kInvalidArgument.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/consumer.h"
#include "barnabas/future.h"
#include "barnabas/runtime.h"
#include "barnabas/types.h"

namespace barnabas::client {

enum class Acknowledgement : int8_t {
  kAccept = 1,   // done
  kRelease = 2,  // not done: for another try, perhaps elsewhere, until group.share.delivery.count.limit
  kReject = 3,   // never again
};

struct ShareConsumerOptions {
  std::shared_ptr<Runtime> runtime{};  // absent: one of its own
};

class ShareConsumer {
 public:
  // kConfig when the configuration is wrong: it needs group.id. Does not wait for a broker.
  static Result<ShareConsumer> create(const Config& config, ShareConsumerOptions options = {});
  ShareConsumer(ShareConsumer&&) noexcept;
  ShareConsumer& operator=(ShareConsumer&&) noexcept;
  ~ShareConsumer();  // close() with its default limit

  // Replaces what was subscribed to before; an empty list is unsubscribe().
  Result<> subscribe(std::vector<std::string> topics);
  Result<> unsubscribe();
  std::set<std::string> subscription() const;

  // Records, as soon as there are any, about max.poll.records of them (whole batches); empty after `timeout`. They live
  // as long as the ConsumerRecords; delivery_count says how often a record was handed out.
  Result<ConsumerRecords> poll(Milliseconds timeout);
  // Ends a poll() that waits, or the next one, with kCancelled.
  void wakeup();

  // Says what became of a record of the last poll(); the last call for it counts. Sent with the next fetch or commit().
  Result<> acknowledge(const ConsumerRecord& record, Acknowledgement outcome = Acknowledgement::kAccept);
  // Sends what is acknowledged. For each partition whether the broker took it: INVALID_RECORD_STATE when a lock had run
  // out.
  Future<std::map<TopicPartition, Result<>>> commit();

  // Sends what is acknowledged, gives back the rest, leaves the group, closes. Idempotent.
  Result<> close(Milliseconds limit = Milliseconds(30000));

  class Core;  // the library's own

 private:
  explicit ShareConsumer(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace barnabas::client
