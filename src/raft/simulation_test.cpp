// Several replicas in one simulated network, from a seed: messages are delayed, reordered and lost, nodes crash and
// lose what was not synced, disks take their time. Whatever happens, Raft's invariants hold, and once the trouble ends
// the quorum goes on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "raft/raft.h"
#include "wire/record_batch.h"

namespace barnabas::raft {
namespace {

constexpr int64_t kMillisecond = 1000000;

// One replica's disk: whole batches, of which the synced ones survive a crash.
struct Disk {
  PersistedState state;
  std::vector<AppendBatch> batches;
  size_t synced = 0;

  Offset end() const { return batches.empty() ? Offset(0) : batches.back().end; }
};

struct Node {
  ReplicaKey key;
  Disk disk;
  std::unique_ptr<Raft> raft;  // null: down
  uint64_t life = 0;
  bool flush_pending = false;
  size_t committed = 0;  // batches seen committed in this life
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
  Simulation(uint64_t seed, int nodes) : random_(seed) {
    std::vector<Voter> voters;
    for (int32_t id = 1; id <= nodes; ++id) {
      Node& node = nodes_[id];
      node.key = {id, {7, static_cast<uint64_t>(id)}};
      voters.push_back({.key = node.key, .endpoints = {{"CONTROLLER", "host", static_cast<uint16_t>(id)}}});
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
  std::map<int32_t, Node>& nodes() { return nodes_; }
  uint64_t random() { return random_(); }

 private:
  Now now() const { return {{now_}, now_ / kMillisecond}; }

  void boot(Node& node) {
    LogIndex log;
    log.set_kraft_version(1, Offset(-1));
    log.add_voters({Offset(-1), voters_});
    for (const AppendBatch& batch : node.disk.batches) {
      auto header = wire::BatchHeader::decode(batch.bytes);
      log.append(header->leader_epoch(), batch.base, batch.end);
      if (header->is_control() && header->record_count == 3) {
        log.set_kraft_version(1, batch.base + 1);
        log.add_voters({batch.base + 2, voters_});
      }
    }
    log.flush(log.end());
    ++node.life;
    node.flush_pending = false;
    node.committed = 0;
    node.raft = std::make_unique<Raft>(Options{.self = node.key,
                                               .cluster_id = "sim",
                                               .endpoints = voters_.find(node.key.id)->endpoints,
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
    uint64_t dice = random_() % 2000;
    int32_t id = static_cast<int32_t>(random_() % nodes_.size()) + 1;
    Node& node = nodes_[id];
    if (dice < 2 && node.raft) {
      crash(node);
    } else if (dice < 10 && !node.raft) {
      boot(node);
    } else if (dice < 12) {
      cut_.insert(id);
    } else if (dice < 22) {
      cut_.clear();
    } else if (dice == 22 && node.raft) {
      carry_out(node, node.raft->resign(now()));
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
    auto batch = node.disk.batches.begin();
    for (const auto& [offset, bytes] : committed_) {
      while (batch != node.disk.batches.end() && batch->base.value < offset) ++batch;
      bool has = batch != node.disk.batches.end() && batch->base.value == offset && batch->bytes == bytes;
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
