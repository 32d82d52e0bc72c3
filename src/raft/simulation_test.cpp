// Several replicas in one simulated network, from a seed: messages are delayed, reordered and lost, nodes crash and
// lose what was not synced, disks take their time, logs are cut behind snapshots, voters come and go. Whatever happens,
// Raft's invariants hold, and once the trouble ends the quorum goes on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "raft/raft.h"
#include "raft/testing/describe.h"
#include "wire/record_batch.h"

namespace barnabas::raft {
namespace {

constexpr int64_t kMillisecond = 1000000;

// All that was committed up to `id`, batch by batch: what a state machine would have made of it.
struct SnapshotFile {
  SnapshotId id{LeaderEpoch(0), Offset(0)};
  Buffer bytes;
};

// One replica's disk: whole batches, of which the synced ones survive a crash, behind a snapshot.
struct Disk {
  PersistedState state;
  SnapshotFile snapshot;
  std::vector<AppendBatch> batches;
  size_t synced = 0;

  Offset end() const { return batches.empty() ? snapshot.id.end : batches.back().end; }
};

// Calls visit(base offset, bytes) for each batch.
template <class Visit>
void for_each_batch(BytesView bytes, const Visit& visit) {
  wire::BatchCursor cursor(bytes);
  while (true) {
    auto batch = cursor.next();
    if (!batch || !*batch) return;
    visit((*batch)->header.base_offset, to_buffer((*batch)->bytes));
  }
}

struct Node {
  ReplicaKey key;
  Disk disk;
  std::unique_ptr<Raft> raft;  // null: down
  uint64_t life = 0;
  bool flush_pending = false;
  size_t committed = 0;  // batches seen committed in this life
  SnapshotFile part;     // a download under way
};

struct Message {
  int64_t at;
  uint64_t order;
  int32_t to;
  uint64_t life;  // of the receiver, for answers
  std::function<void()> deliver;
  bool operator<(const Message& other) const { return at != other.at ? at > other.at : order > other.order; }
};

class Simulation {
 public:
  // The spare nodes are observers that may become voters, and voters may go.
  Simulation(uint64_t seed, int voter_count, int spares = 0) : random_(seed), voters_change_(spares > 0) {
    std::vector<Voter> voters;
    for (int32_t id = 1; id <= voter_count + spares; ++id) {
      nodes_[id].key = {id, {7, static_cast<uint64_t>(id)}};
      if (id <= voter_count) voters.push_back(voter(id));
    }
    voters_ = VoterSet(voters);
    for (auto& [id, node] : nodes_) boot(node);
  }

  void run(int64_t milliseconds, bool trouble) {
    int64_t end = now_ + milliseconds * kMillisecond;
    while (now_ < end && !::testing::Test::HasFailure()) {
      now_ += kMillisecond;
      if (trouble) make_trouble();
      for (auto& [id, node] : nodes_) {
        if (!node.raft || node.raft->wake_at() > now().time) continue;
        carry_out(node, node.raft->tick(now()));
        EXPECT_GT(node.raft->wake_at(), now().time) << "woken for nothing: " << role_name(node.raft->role());
      }
      while (!messages_.empty() && messages_.front().at <= now_) {
        std::pop_heap(messages_.begin(), messages_.end());
        Message message = std::move(messages_.back());
        messages_.pop_back();
        message.deliver();
      }
      lossy_ = trouble;
      if (random_() % 50 == 0) propose();
    }
  }

  void heal() {
    cut_.clear();
    for (auto& [id, node] : nodes_) {
      if (!node.raft) boot(node);
    }
  }

  Raft* leader() {
    Raft* best = nullptr;
    for (auto& [id, node] : nodes_) {
      if (node.raft && node.raft->role() == Role::kLeader && (!best || node.raft->epoch() > best->epoch())) {
        best = node.raft.get();
      }
    }
    return best;
  }

  size_t committed() const { return committed_.size(); }
  size_t epochs() const { return leaders_.size(); }
  int voter_changes() const { return voter_changes_; }
  int snapshots_fetched() const { return snapshots_fetched_; }
  std::map<int32_t, Node>& nodes() { return nodes_; }
  uint64_t random() { return random_(); }

 private:
  Now now() const { return {{now_}, now_ / kMillisecond}; }

  static Voter voter(int32_t id) {
    return {.key = {id, {7, static_cast<uint64_t>(id)}},
            .endpoints = {{"CONTROLLER", "host", static_cast<uint16_t>(id)}}};
  }

  // The voters as the records of `file` leave them.
  VoterSet voters_in(const SnapshotFile& file) const {
    LogIndex log;
    for_each_batch(file.bytes, [&](int64_t, const Buffer& batch) { note_voters(batch, log); });
    return log.voters().empty() ? voters_ : log.voters();
  }

  void boot(Node& node) {
    LogIndex log;
    log.set_kraft_version(1, Offset(-1));
    if (node.disk.snapshot.id.end > Offset(0)) {
      log.restart_at(node.disk.snapshot.id, voters_in(node.disk.snapshot), 1);
    } else {
      log.add_voters({Offset(-1), voters_});
    }
    for (const AppendBatch& batch : node.disk.batches) {
      log.append(wire::BatchHeader::decode(batch.bytes)->leader_epoch(), batch.base, batch.end);
      note_voters(batch.bytes, log);
    }
    log.flush(log.end());
    ++node.life;
    node.flush_pending = false;
    node.committed = 0;
    node.raft = std::make_unique<Raft>(Options{.self = node.key,
                                               .cluster_id = "sim",
                                               .endpoints = voter(node.key.id).endpoints,
                                               .fetch_snapshot_max_bytes = 700,
                                               .random = [this] { return random_(); }},
                                       node.disk.state, log);
    carry_out(node, node.raft->start(now()));
  }

  void crash(Node& node) {
    node.raft.reset();
    ++node.life;
    // Of the unsynced tail any part may have reached the disk.
    size_t kept = node.disk.synced + random_() % (node.disk.batches.size() - node.disk.synced + 1);
    node.disk.batches.resize(kept);
    node.disk.synced = kept;
  }

  void make_trouble() {
    // Changing voters takes a leader that lives for a while.
    uint64_t dice = random_() % (voters_change_ ? 6000 : 2000);
    int32_t id = static_cast<int32_t>(random_() % nodes_.size()) + 1;
    Node& node = nodes_[id];
    if (dice < 2 && node.raft) {
      crash(node);
    } else if (dice < (voters_change_ ? 22 : 10) && !node.raft) {
      boot(node);
    } else if (dice >= 10 && dice < 12) {
      cut_.insert(id);
    } else if (dice >= 12 && dice < 22) {
      cut_.clear();
    } else if (dice == 22 && node.raft) {
      carry_out(node, node.raft->resign(now()));
    } else if (dice >= 23 && dice < 28 && node.raft) {
      take_snapshot(node);
    } else if (dice >= 28 && dice < 78 && voters_change_) {
      change_voters(id);
    }
  }

  // The state machine writes down what is committed, and the log is cut behind it.
  void take_snapshot(Node& node) {
    Disk& disk = node.disk;
    size_t covered = std::min(node.committed, disk.synced);
    if (covered == 0) return;
    const AppendBatch& last = disk.batches[covered - 1];
    disk.snapshot.id = {wire::BatchHeader::decode(last.bytes)->leader_epoch(), last.end};
    for (size_t i = 0; i < covered; ++i) {
      disk.snapshot.bytes.insert(disk.snapshot.bytes.end(), disk.batches[i].bytes.begin(), disk.batches[i].bytes.end());
    }
    disk.batches.erase(disk.batches.begin(), disk.batches.begin() + static_cast<ptrdiff_t>(covered));
    disk.synced -= covered;
    node.committed -= covered;
    node.raft->snapshot_written(disk.snapshot.id);
    node.raft->log_start_moved(disk.snapshot.id.end);
  }

  // Somebody asks whoever believes to lead: a voter is to go (but not the last two), or another node to come.
  void change_voters(int32_t id) {
    for (auto& [leader_id, node] : nodes_) {
      if (!node.raft || node.raft->role() != Role::kLeader) continue;
      const VoterSet& now_voting = node.raft->voters();
      Request request = AddVoterRequest{"sim", voter(id), random_() % 2 == 0};
      if (now_voting.find(id)) {
        if (now_voting.size() <= 2) continue;
        request = RemoveVoterRequest{"sim", voter(id).key};
      }
      RequestToken token = next_token_++;
      asked_[token] = {-1, 0, 0};
      carry_out(node, node.raft->on_request(now(), token, request));
    }
  }

  void post(int32_t from, int32_t to, std::function<void()> deliver) {
    bool lost = cut_.contains(from) || cut_.contains(to) || (lossy_ && random_() % 20 == 0);
    if (lost) return;
    int64_t delay = static_cast<int64_t>(random_() % (lossy_ && random_() % 10 == 0 ? 900 : 5)) * kMillisecond;
    messages_.push_back({now_ + kMillisecond + delay, order_++, to, 0, std::move(deliver)});
    std::push_heap(messages_.begin(), messages_.end());
  }

  void later(int64_t milliseconds, std::function<void()> act) {
    messages_.push_back({now_ + milliseconds * kMillisecond, order_++, 0, 0, std::move(act)});
    std::push_heap(messages_.begin(), messages_.end());
  }

  void answer(int32_t from, int32_t to, uint64_t life, uint64_t correlation, Response response) {
    const auto* change = std::get_if<VoterChangeResponse>(&response);
    if (change && change->error == KafkaError::kNone) ++voter_changes_;
    if (to < 0) return;
    post(from, to, [this, to, life, correlation, response = std::move(response)] {
      Node& node = nodes_[to];
      if (node.raft && node.life == life) carry_out(node, node.raft->on_response(now(), correlation, response));
    });
  }

  void carry_out(Node& node, Output out) {
    if (out.persist) node.disk.state = *out.persist;
    auto& after = out.after_persist;
    if (after.truncate_to) {
      while (node.disk.end() > *after.truncate_to) {
        // A cut falls between batches, and never below what was committed.
        node.disk.batches.pop_back();
      }
      EXPECT_EQ(node.disk.end(), *after.truncate_to);
      node.disk.synced = std::min(node.disk.synced, node.disk.batches.size());
    }
    if (after.restart_log_at) {
      EXPECT_EQ(*after.restart_log_at, node.part.id);
      node.disk.snapshot = std::exchange(node.part, {});
      node.disk.batches.clear();
      node.disk.synced = 0;
      node.committed = 0;
      ++snapshots_fetched_;
    }
    for (AppendBatch& batch : after.append) {
      EXPECT_EQ(batch.base, node.disk.end());
      node.disk.batches.push_back(std::move(batch));
    }
    if (after.flush) flush(node);
    if (node.raft->role() == Role::kLeader) {
      auto [known, fresh] = leaders_.try_emplace(node.raft->epoch().value, node.key.id);
      EXPECT_EQ(known->second, node.key.id) << "two leaders in epoch " << node.raft->epoch().value;
      if (fresh) check_completeness(node);
    }
    if (after.committed) commit(node, *after.committed);
    if (after.snapshot_chunk) receive(node, *after.snapshot_chunk);
    for (Send& send : after.send) {
      int32_t from = node.key.id;
      uint64_t life = node.life;
      post(from, send.to, [this, from, life, send = std::move(send)] {
        Node& receiver = nodes_[send.to];
        if (!receiver.raft) return;
        RequestToken token = next_token_++;
        asked_[token] = {from, life, send.correlation};
        carry_out(receiver, receiver.raft->on_request(now(), token, send.request));
      });
    }
    for (Reply& reply : after.reply) respond(node, reply.token, std::move(reply.response));
    for (ServeFetch& serve : after.serve) {
      auto batch = std::ranges::upper_bound(node.disk.batches, serve.offset, {}, &AppendBatch::end);
      Buffer& records = serve.response.records;
      for (; batch != node.disk.batches.end() && batch->end <= serve.limit && records.size() < 1000; ++batch) {
        records.insert(records.end(), batch->bytes.begin(), batch->bytes.end());
      }
      respond(node, serve.token, std::move(serve.response));
    }
    for (ServeSnapshot& serve : after.serve_snapshot) serve_snapshot(node, std::move(serve));
  }

  void serve_snapshot(Node& node, ServeSnapshot serve) {
    const SnapshotFile& file = node.disk.snapshot;
    FetchSnapshotResponse& response = serve.response;
    response.size = static_cast<int64_t>(file.bytes.size());
    if (file.id != response.snapshot) {
      response.error = KafkaError::kSnapshotNotFound;
    } else if (response.position >= response.size) {
      response.error = KafkaError::kPositionOutOfRange;
    } else {
      auto rest = BytesView(file.bytes).subspan(static_cast<size_t>(response.position));
      response.bytes = to_buffer(rest.first(std::min(rest.size(), static_cast<size_t>(serve.max_bytes))));
    }
    respond(node, serve.token, std::move(response));
  }

  void receive(Node& node, const SnapshotChunk& chunk) {
    if (chunk.position == 0) node.part = {chunk.id, {}};
    EXPECT_EQ(node.part.id, chunk.id);
    EXPECT_EQ(static_cast<int64_t>(node.part.bytes.size()), chunk.position);
    node.part.bytes.insert(node.part.bytes.end(), chunk.bytes.begin(), chunk.bytes.end());
    if (!chunk.last) return;
    if (random_() % 8 == 0) return carry_out(node, node.raft->snapshot_refused(now(), chunk.id));
    for_each_batch(node.part.bytes, [&](int64_t base, const Buffer& bytes) {
      EXPECT_EQ(committed_.at(base), bytes) << "snapshot of node " << node.key.id << " at " << base;
    });
    carry_out(node, node.raft->snapshot_fetched(now(), chunk.id, voters_in(node.part), 1));
  }

  void respond(const Node& node, RequestToken token, Response response) {
    auto asked = asked_.extract(token);
    ASSERT_FALSE(asked.empty()) << "answered twice";
    const Asked& who = asked.mapped();
    answer(node.key.id, who.from, who.life, who.correlation, std::move(response));
  }

  void flush(Node& node) {
    if (node.flush_pending) return;
    node.flush_pending = true;
    later(1 + static_cast<int64_t>(random_() % 20), [this, id = node.key.id, life = node.life] {
      Node& n = nodes_[id];
      if (!n.raft || n.life != life) return;
      n.flush_pending = false;
      n.disk.synced = n.disk.batches.size();
      carry_out(n, n.raft->flushed(now(), n.disk.end()));
    });
  }

  void propose() {
    for (auto& [id, node] : nodes_) {
      if (!node.raft || node.raft->role() != Role::kLeader) continue;
      std::string text = std::to_string(proposed_++);
      std::vector<Buffer> values(1 + random_() % 3, to_buffer(as_bytes(text)));
      auto out = node.raft->propose(now(), node.raft->epoch(), values);
      ASSERT_TRUE(out.has_value());
      carry_out(node, std::move(*out));
    }
  }

  // State machine safety: nobody ever commits something else at the same place.
  void commit(Node& node, Offset to) {
    auto& batches = node.disk.batches;
    for (; node.committed < batches.size() && batches[node.committed].end <= to; ++node.committed) {
      const AppendBatch& batch = batches[node.committed];
      auto [known, fresh] = committed_.try_emplace(batch.base.value, batch.bytes);
      EXPECT_EQ(known->second, batch.bytes) << "node " << node.key.id << " offset " << batch.base.value;
    }
  }

  // Leader completeness: who leads a new epoch has everything that was ever committed.
  void check_completeness(const Node& node) {
    std::map<int64_t, Buffer> all;
    for_each_batch(node.disk.snapshot.bytes, [&](int64_t base, Buffer batch) { all[base] = std::move(batch); });
    for (const AppendBatch& batch : node.disk.batches) all[batch.base.value] = batch.bytes;
    for (const auto& [offset, bytes] : committed_) {
      auto batch = all.find(offset);
      bool has = batch != all.end() && batch->second == bytes;
      ASSERT_TRUE(has) << "leader " << node.key.id << " lacks offset " << offset;
    }
  }

  struct Asked {
    int32_t from;
    uint64_t life;
    uint64_t correlation;
  };

  std::mt19937_64 random_;
  VoterSet voters_;
  std::map<int32_t, Node> nodes_;
  std::vector<Message> messages_;
  std::map<RequestToken, Asked> asked_;
  std::set<int32_t> cut_;
  std::map<int32_t, int32_t> leaders_;
  std::map<int64_t, Buffer> committed_;
  int64_t now_ = 0;
  uint64_t order_ = 0;
  RequestToken next_token_ = 1;
  int proposed_ = 0;
  bool lossy_ = false;
  bool voters_change_ = false;
  int voter_changes_ = 0;
  int snapshots_fetched_ = 0;
};

class SimulatedQuorum : public ::testing::TestWithParam<uint64_t> {};

TEST_P(SimulatedQuorum, OfThreeIsSafeInTroubleAndGoesOnAfterIt) {
  Simulation simulation(GetParam(), 3);
  simulation.run(12000, true);
  simulation.heal();
  simulation.run(8000, false);
  size_t before = simulation.committed();
  ASSERT_NE(simulation.leader(), nullptr);
  simulation.run(2000, false);
  EXPECT_GT(simulation.committed(), before + 10) << "no progress";
  // Everybody follows: nobody is more than a few batches behind.
  Offset end = simulation.nodes()[1].disk.end();
  for (auto& [id, node] : simulation.nodes()) EXPECT_LT(std::abs(node.disk.end() - end), 100) << id;
}

TEST_P(SimulatedQuorum, OfFiveIsSafeInTroubleAndGoesOnAfterIt) {
  Simulation simulation(GetParam() + 1000, 5);
  simulation.run(8000, true);
  simulation.heal();
  simulation.run(8000, false);
  size_t before = simulation.committed();
  ASSERT_NE(simulation.leader(), nullptr);
  simulation.run(2000, false);
  EXPECT_GT(simulation.committed(), before + 10) << "no progress";
}

TEST_P(SimulatedQuorum, ThatChangesItsVotersIsSafeInTroubleAndGoesOnAfterIt) {
  Simulation simulation(GetParam() + 2000, 3, 2);
  simulation.run(15000, true);
  simulation.heal();
  simulation.run(8000, false);
  size_t before = simulation.committed();
  ASSERT_NE(simulation.leader(), nullptr);
  simulation.run(2000, false);
  EXPECT_GT(simulation.committed(), before + 10) << "no progress";
  RecordProperty("voter_changes", simulation.voter_changes());
  RecordProperty("snapshots_fetched", simulation.snapshots_fetched());
}

TEST(Quorum, InTroubleChangesItsVotersAndFetchesSnapshots) {
  // That the story above has a plot: both things do happen, not in every seed.
  int changes = 0;
  int snapshots = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Simulation simulation(seed + 3000, 3, 2);
    simulation.run(40000, true);
    changes += simulation.voter_changes();
    snapshots += simulation.snapshots_fetched();
  }
  EXPECT_GT(changes, 5);
  EXPECT_GT(snapshots, 2);
}

// BARNABAS_SEEDS=500 for a longer search.
uint64_t last_seed() {
  const char* wanted = std::getenv("BARNABAS_SEEDS");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 8;
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimulatedQuorum, ::testing::Range(uint64_t{1}, last_seed() + 1));

TEST(Quorum, OfThreeElectsOneLeaderAndKeepsIt) {
  Simulation simulation(42, 3);
  simulation.run(5000, false);
  ASSERT_NE(simulation.leader(), nullptr);
  EXPECT_LE(simulation.epochs(), 2u);
  size_t epochs = simulation.epochs();
  simulation.run(10000, false);
  EXPECT_EQ(simulation.epochs(), epochs);  // nobody disturbs a living leader
}

}  // namespace
}  // namespace barnabas::raft
