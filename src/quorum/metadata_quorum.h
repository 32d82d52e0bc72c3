// MetadataQuorum: this node's part in the metadata quorum: the log __cluster_metadata-0 with its snapshots and
// quorum-state, the Raft core over it, the controller core on top. Lives on loops[0]; requests come in from any loop
// through submit().
//
// A decision of the controller is appended, replayed at once (the next decision sees it), committed when a majority has
// it on disk, then published: the image goes to the publisher, and only then is the request answered.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "config/quorum_config.h"
#include "controller/controller.h"
#include "metadata/delta.h"
#include "metadata/image.h"
#include "metadata/image_builder.h"
#include "quorum/metadata_store.h"
#include "raft/raft.h"
#include "runtime/clock.h"
#include "runtime/completion.h"
#include "runtime/scope.h"
#include "runtime/sleep.h"
#include "runtime/task.h"
#include "runtime/world.h"

namespace barnabas::wire {
struct DescribeQuorumRequest;
struct DescribeQuorumResponse;
}  // namespace barnabas::wire

namespace barnabas::quorum {

struct MetadataQuorumOptions {
  int32_t node_id = -1;
  Uuid directory_id;
  std::string cluster_id;
  config::QuorumConfig config;
  std::vector<raft::VoterEndpoint> endpoints;  // of our controller listeners
  int32_t default_partitions = 1;
  int16_t default_replication_factor = 1;
};

// On loops[0]: everything up to image->provenance() is committed. The task ends when this node acts by it.
using Publisher = std::function<runtime::Task<>(metadata::Delta delta, metadata::ImagePtr image)>;

class MetadataQuorum {
 public:
  // `store` has been opened and checked; `validator` outlives the quorum.
  MetadataQuorum(runtime::World& world, MetadataQuorumOptions options, std::unique_ptr<MetadataStore> store,
                 const controller::ConfigValidator& validator);
  ~MetadataQuorum();

  // Elects a leader and, on the first start of a cluster, writes the bootstrap records. Returns when this node's
  // controller is active (a lone voter: at once, one sync later).
  runtime::Task<Result<>> start();
  // From now on changes are published; the first call of `publisher` carries everything there is.
  void publish_to(Publisher publisher);
  // Resigns, ends what waits, closes the log.
  runtime::Task<> stop();

  // What is committed and applied, whether published yet or not. On loops[0].
  metadata::ImagePtr image() const { return image_; }
  const controller::Controller& controller() const { return controller_; }
  const raft::Raft& raft() const { return raft_; }

  // Any loop: runs `decide(controller, now, next_offset)` on loops[0], which returns a Decision, commits and publishes
  // its records and returns the response on `home`. nullopt: this node is not the active controller, or stopped
  // meanwhile.
  template <class Decide>
  auto submit(runtime::Executor& home, Decide decide) -> runtime::Task<
      std::optional<decltype(decide(std::declval<controller::Controller&>(), MonotonicTime{}, Offset{}).response)>> {
    using Response = decltype(decide(std::declval<controller::Controller&>(), MonotonicTime{}, Offset{}).response);
    std::optional<Response> answer;
    co_await runtime::resume_on(loop_);
    if (controller_.active() && !stopping_) {
      auto decision = decide(controller_, loop_.clock().now(), raft_.end_offset());
      bool committed = true;
      if (!decision.records.empty()) {
        auto done = append(std::move(decision.records));
        auto result = co_await done.wait(loop_);
        committed = result.value_or(false);
      }
      if (committed) answer.emplace(std::move(decision.response));
    }
    co_await runtime::resume_on(home);
    co_return answer;
  }

  // Any loop.
  runtime::Task<wire::DescribeQuorumResponse> describe_quorum(runtime::Executor& home,
                                                              wire::DescribeQuorumRequest request);

 private:
  struct PendingBatch {
    Offset end{0};
    TimestampMs timestamp = 0;
    std::vector<wire::MetadataRecord> records;  // none: a control batch
    std::optional<runtime::Completion<bool>> done;
  };

  // Set when the records are published (true) or will never be (false).
  runtime::Completion<bool> append(std::vector<wire::MetadataRecord> records);
  void carry_out(raft::Output output);
  void start_sync();
  void synced(Result<> result);
  void apply_committed(Offset up_to);
  void start_publishing();
  runtime::Task<> publish_loop();
  void became_active(const raft::LeaderChange& change);
  void fatal(const Error& error);
  void arm_timer();
  void tick();
  void maybe_snapshot();
  static runtime::Task<> write_snapshot(MetadataQuorum* self, metadata::ImagePtr image,
                                        std::vector<raft::Voter> voters);
  raft::Now raft_now() const;
  void fail_pending();

  runtime::World& world_;
  runtime::Executor& loop_;
  const MetadataQuorumOptions options_;
  std::unique_ptr<MetadataStore> store_;
  controller::Controller controller_;
  metadata::ImageBuilder applied_;  // committed records only
  metadata::ImagePtr image_;
  raft::Raft raft_;
  runtime::Scope scope_;

  std::deque<PendingBatch> pending_;      // appended by us, not committed
  std::deque<PendingBatch> unpublished_;  // committed, waiting for the publisher
  Publisher publisher_;
  metadata::Delta delta_;  // since the last publication
  bool publishing_ = false;

  bool sync_under_way_ = false;
  bool sync_again_ = false;
  std::optional<Error> failure_;
  runtime::Completion<bool> active_;
  runtime::TimerId timer_ = 0;
  MonotonicTime timer_at_;
  bool stopping_ = false;
  bool snapshot_under_way_ = false;
  uint64_t bytes_since_snapshot_ = 0;
  MonotonicTime last_snapshot_;
};

}  // namespace barnabas::quorum
