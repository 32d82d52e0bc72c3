// Transcripts of a quorum, so that an election reads like a conversation. See base/testing/transcript.h. A request lies
// in the mail until the script lets it pass or loses it; an answer arrives as soon as it is said. Disks sync at once,
// unless told to be slow. Node N's random numbers are all N tenths of a second. Commands:
//
//   quorum ID,ID,…           who votes, for the nodes started after it      static             with kraft.version 0
//   start ID [epoch= leader= vote= log=END@EPOCH,… snapshot=END@EPOCH port= join=1]    crash ID    restart ID [port=]
//   pass [FROM>TO]           the requests lying there, in order             lose [FROM>TO]
//   wait MS                  from timer to timer                            disk ID slow|fast
//   propose ID VALUE…        resign ID                                      show
//   snapshot ID END          a snapshot up to END was written and the log below it cut
//   ask ID vote|begin|end|fetch|fetchsnapshot|add|remove|update KEY=VALUE…  a request made by hand
//   answer FROM>TO vote|fetch|… KEY=VALUE…                                  a made answer to the newest question there
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>

#include "base/testing/transcript.h"
#include "raft/testing/describe.h"
#include "wire/record_batch.h"

namespace barnabas::raft {
namespace {

using testing::has_option;
using testing::option;
using testing::split;
using testing::Words;

constexpr int64_t kMillisecond = 1'000'000;

EpochEnd end_at_epoch(const std::string& text) {
  Words parts = split(text, '@');
  return {LeaderEpoch(std::stoi(parts.at(1))), Offset(std::stoll(parts.at(0)))};
}

class Quorum {
 public:
  void play(const Words& words, std::ostream& out) {
    out_ = &out;
    const std::string& verb = words.at(0);
    if (verb == "quorum") {
      voter_ids_ = split(words.at(1), ',');
    } else if (verb == "static") {
      kraft_version_ = 0;
    } else if (verb == "start") {
      start(std::stoi(words.at(1)), words);
    } else if (verb == "crash") {
      node(words).raft.reset();
    } else if (verb == "restart") {
      if (has_option(words, "port")) node(words).port = std::stoi(option(words, "port"));
      boot(node(words));
    } else if (verb == "pass" || verb == "lose") {
      mail(verb == "pass", words.size() > 1 ? words[1] : ">");
    } else if (verb == "wait") {
      wait(std::stoll(words.at(1)));
    } else if (verb == "disk") {
      node(words).slow = words.at(2) == "slow";
      if (!node(words).slow) sync(node(words));
    } else if (verb == "propose") {
      propose(node(words), words);
    } else if (verb == "resign") {
      carry_out(node(words), node(words).raft->resign(now()));
    } else if (verb == "snapshot") {
      snapshot(node(words), Offset(std::stoll(words.at(2))));
    } else if (verb == "ask") {
      ask(node(words), words);
    } else if (verb == "answer") {
      answer(words);
    } else if (verb == "show") {
      show();
    } else {
      say() << "what is " << verb << "?\n";
    }
    settle();
  }

 private:
  struct Node {
    int32_t id = -1;
    LogIndex first_log;  // as found at the first start
    PersistedState state;
    std::vector<AppendBatch> batches;
    size_t synced = 0;
    std::optional<SnapshotId> snapshot;
    bool slow = false;
    int port = 0;
    bool auto_join = false;
    std::unique_ptr<Raft> raft;
    Role role = Role::kUnattached;
    uint64_t life = 0;
  };
  struct Letter {
    int32_t from;
    uint64_t life;
    Send send;
  };
  struct Asked {
    int32_t from;  // -1: somebody outside
    uint64_t life;
    uint64_t correlation;
  };
  struct Answer {
    int32_t from;
    Asked to;
    Response response;
  };

  std::ostream& say() { return *out_; }
  Now now() const { return {{now_}, now_ / kMillisecond}; }
  Node& node(const Words& words) { return nodes_.at(std::stoi(words.at(1))); }

  Voter voter(const std::string& id) const {
    int32_t number = std::stoi(id);  // "9!" too
    Uuid directory = kraft_version_ == 0 ? Uuid{} : Uuid{7, static_cast<uint64_t>(number)};
    return {.key = {number, directory}, .endpoints = {{"CONTROLLER", "host" + id, static_cast<uint16_t>(number)}}};
  }

  VoterSet voters() const {
    std::vector<Voter> all;
    for (const std::string& one : voter_ids_) all.push_back(voter(one));
    return VoterSet(all);
  }

  void start(int32_t id, const Words& words) {
    Node& node = nodes_[id];
    node.id = id;
    LogIndex& log = node.first_log;
    log.set_kraft_version(kraft_version_, Offset(-1));
    if (!voters().empty()) log.add_voters({Offset(-1), voters()});
    node.port = std::stoi(option(words, "port", std::to_string(id)));
    node.auto_join = has_option(words, "join");
    if (has_option(words, "snapshot")) {
      node.snapshot = end_at_epoch(option(words, "snapshot"));
      log.start_from_snapshot(*node.snapshot);
    }
    for (const std::string& part : split(option(words, "log"), ',')) {
      EpochEnd end = end_at_epoch(part);
      log.append(end.epoch, log.end(), end.end);
    }
    log.flush(log.end());
    node.state.epoch = LeaderEpoch(std::stoi(option(words, "epoch", "0")));
    node.state.leader_id = std::stoi(option(words, "leader", "-1"));
    if (has_option(words, "vote")) node.state.voted = voter(option(words, "vote")).key;
    boot(node);
  }

  void boot(Node& node) {
    LogIndex log = node.first_log;
    node.batches.resize(node.synced);  // the rest never reached the disk
    for (const AppendBatch& batch : node.batches) {
      auto header = wire::BatchHeader::decode(batch.bytes);
      log.append(header->leader_epoch(), batch.base, batch.end);
      note_voters(batch.bytes, log);
    }
    log.flush(log.end());
    if (node.snapshot) log.add_snapshot(*node.snapshot);
    ++node.life;
    node.role = Role::kUnattached;
    Voter self = voter(std::to_string(node.id));
    self.key.directory = Uuid{7, static_cast<uint64_t>(node.id)};
    self.endpoints.front().port = static_cast<uint16_t>(node.port);
    node.raft = std::make_unique<Raft>(
        Options{.self = self.key,
                .cluster_id = "c",
                .endpoints = self.endpoints,
                .auto_join = node.auto_join,
                .random = [id = node.id] { return static_cast<uint64_t>(id) * 100 * kMillisecond; }},
        node.state, log);
    carry_out(node, node.raft->start(now()));
  }

  // --- what comes out of a core
  void carry_out(Node& node, Output output) {
    auto line = [&]() -> std::ostream& { return say() << node.id << " "; };
    if (output.persist) {
      node.state = *output.persist;
      line() << "persists " << text_of(node.state) << "\n";
    }
    auto& after = output.after_persist;
    if (after.truncate_to) truncate(node, *after.truncate_to);
    if (after.snapshot_chunk) receive(node, *after.snapshot_chunk);
    if (after.restart_log_at) {
      line() << "begins its log anew at " << text_of(*after.restart_log_at) << "\n";
      node.snapshot = after.restart_log_at;
      node.first_log = node.raft->log();
      node.batches.clear();
      node.synced = 0;
    }
    for (AppendBatch& batch : after.append) {
      line() << "appends " << text_of_batch(batch.bytes) << "\n";
      node.batches.push_back(std::move(batch));
    }
    for (Send& send : after.send) {
      line() << "to " << send.to << ": " << text_of(send.request) << "\n";
      mail_.push_back({node.id, node.life, std::move(send)});
    }
    for (Reply& reply : after.reply) respond(node, reply.token, std::move(reply.response));
    for (ServeFetch& serve : after.serve) {
      for (const AppendBatch& batch : node.batches) {
        if (batch.end <= serve.offset || batch.end > serve.limit) continue;
        serve.response.records.insert(serve.response.records.end(), batch.bytes.begin(), batch.bytes.end());
      }
      respond(node, serve.token, std::move(serve.response));
    }
    for (ServeSnapshot& serve : after.serve_snapshot) {
      // The file is nothing but its name and the voters, sent in pieces of a few bytes.
      std::string file = text_of(serve.response.snapshot) + " whole";
      serve.response.size = static_cast<int64_t>(file.size());
      serve.response.bytes = to_buffer(as_bytes(file.substr(static_cast<size_t>(serve.response.position), 6)));
      respond(node, serve.token, std::move(serve.response));
    }
    if (after.committed) line() << "commits up to " << after.committed->value << "\n";
    if (after.leader_change) line() << "knows " << text_of(*after.leader_change) << "\n";
    if (node.raft->role() != node.role) {
      node.role = node.raft->role();
      line() << "is " << role_name(node.role) << " in epoch " << node.raft->epoch().value << "\n";
    }
    if (after.flush && !node.slow) to_sync_.push_back(node.id);
  }

  void receive(Node& node, const SnapshotChunk& chunk) {
    say() << node.id << " writes bytes from " << chunk.position << " of snapshot " << text_of(chunk.id)
          << (chunk.last ? ", the last" : "") << "\n";
    if (chunk.last) downloaded_.push_back({node.id, chunk.id});
  }

  void truncate(Node& node, Offset to) {
    say() << node.id << " truncates to " << to.value << "\n";
    while (!node.batches.empty() && node.batches.back().end > to) node.batches.pop_back();
    node.synced = std::min(node.synced, node.batches.size());
    if (node.first_log.end() > to) node.first_log.truncate(to);
  }

  void respond(const Node& node, RequestToken token, Response response) {
    Asked who = asked_.at(token);
    asked_.erase(token);
    say() << node.id << " answers " << (who.from < 0 ? "" : std::to_string(who.from) + ": ") << text_of(response)
          << "\n";
    if (who.from >= 0) answers_.push_back({node.id, who, std::move(response)});
  }

  // Everything that needs no leave: syncs of quick disks and answers on their way.
  void settle() {
    while (!to_sync_.empty() || !answers_.empty() || !downloaded_.empty()) {
      if (!downloaded_.empty()) {
        auto [id, snapshot] = downloaded_.front();
        downloaded_.pop_front();
        Node& node = nodes_.at(id);
        carry_out(node, node.raft->snapshot_fetched(now(), snapshot, voters(), 1));
        continue;
      }
      if (!to_sync_.empty()) {
        int32_t id = to_sync_.front();
        to_sync_.pop_front();
        sync(nodes_.at(id));
        continue;
      }
      Answer answer = std::move(answers_.front());
      answers_.pop_front();
      Node& asker = nodes_.at(answer.to.from);
      if (!asker.raft || asker.life != answer.to.life) continue;
      carry_out(asker, asker.raft->on_response(now(), answer.to.correlation, answer.response));
    }
  }

  void sync(Node& node) {
    if (!node.raft) return;
    node.synced = node.batches.size();
    carry_out(node, node.raft->flushed(now(), node.raft->end_offset()));
  }

  // --- commands
  void mail(bool pass, const std::string& which) {
    size_t arrow = which.find('>');
    std::string from = which.substr(0, arrow);
    std::string to = which.substr(arrow + 1);
    std::deque<Letter> letters;
    std::swap(letters, mail_);
    for (Letter& letter : letters) {
      bool chosen = (from.empty() || std::stoi(from) == letter.from) && (to.empty() || std::stoi(to) == letter.send.to);
      Node& sender = nodes_.at(letter.from);
      if (!sender.raft || sender.life != letter.life) continue;
      if (!chosen) {
        mail_.push_back(std::move(letter));
        continue;
      }
      auto receiver = nodes_.find(letter.send.to);
      if (!pass || receiver == nodes_.end() || !receiver->second.raft) {
        carry_out(sender, sender.raft->on_failure(now(), letter.send.correlation));
      } else {
        asked_[next_token_] = {letter.from, letter.life, letter.send.correlation};
        carry_out(receiver->second, receiver->second.raft->on_request(now(), next_token_++, letter.send.request));
      }
      settle();
    }
  }

  void wait(int64_t milliseconds_to_wait) {
    int64_t until = now_ + milliseconds_to_wait * kMillisecond;
    while (now_ < until) {
      int64_t next = until;
      for (auto& [id, node] : nodes_) {
        if (node.raft) next = std::min(next, node.raft->wake_at().nanos);
      }
      now_ = std::max(next, now_);
      std::ostream* outer = out_;
      std::ostringstream said;
      out_ = &said;
      for (auto& [id, node] : nodes_) {
        if (!node.raft || node.raft->wake_at().nanos > now_) continue;
        carry_out(node, node.raft->tick(now()));
        settle();
        ASSERT_GT(node.raft->wake_at().nanos, now_)
            << "node " << id << " as " << role_name(node.raft->role()) << " wants to be woken for nothing at " << now_;
      }
      out_ = outer;
      if (!said.str().empty()) say() << "at " << now_ / kMillisecond << " ms\n" << said.str();
    }
  }

  void propose(Node& node, const Words& words) {
    std::vector<Buffer> values;
    for (size_t i = 2; i < words.size(); ++i) values.push_back(to_buffer(as_bytes(words[i])));
    auto output = node.raft->propose(now(), node.raft->epoch(), values);
    if (output) return carry_out(node, std::move(*output));
    say() << node.id << " refuses: " << output.error().message << "\n";
  }

  void snapshot(Node& node, Offset end) {
    node.snapshot = SnapshotId{node.raft->log().epoch_at(end - 1), end};
    node.raft->snapshot_written(*node.snapshot);
    node.raft->log_start_moved(end);
    node.first_log.start_from_snapshot(*node.snapshot);
    size_t before = node.batches.size();
    std::erase_if(node.batches, [&](const AppendBatch& batch) { return batch.end <= end; });
    node.synced -= before - node.batches.size();
  }

  void ask(Node& node, const Words& words) {
    asked_[next_token_] = {-1, 0, 0};
    Request request = request_of(words);
    carry_out(node, node.raft->on_request(now(), next_token_++, request));
  }

  Request request_of(const Words& words) const {
    auto number = [&](const std::string& key, int64_t otherwise) {
      return std::stoll(option(words, key, std::to_string(otherwise)));
    };
    auto key = [&](const std::string& name, const std::string& otherwise) {
      std::string text = option(words, name, otherwise);
      bool stranger = text.ends_with("!");  // the id with another directory
      ReplicaKey k = voter(stranger ? text.substr(0, text.size() - 1) : text).key;
      if (stranger) k.directory = {9, 9};
      return k;
    };
    std::string cluster = option(words, "cluster", "c");
    LeaderEpoch epoch(static_cast<int32_t>(number("epoch", 0)));
    const std::string& kind = words.at(2);
    if (kind == "vote" || kind == "prevote") {
      return VoteRequest{cluster,
                         key("voter", words.at(1)),
                         key("from", "9"),
                         epoch,
                         end_at_epoch(option(words, "log", "0@0")),
                         kind == "prevote"};
    }
    if (kind == "begin") {
      int32_t leader = static_cast<int32_t>(number("leader", 9));
      return BeginQuorumEpochRequest{cluster, key("voter", words.at(1)), leader, epoch, {{"CONTROLLER", "h", 1}}};
    }
    if (kind == "end") {
      EndQuorumEpochRequest request{cluster, static_cast<int32_t>(number("leader", 9)), epoch, {}};
      for (const std::string& id : split(option(words, "next"), ',')) {
        request.preferred_candidates.push_back(voter(id).key);
      }
      return request;
    }
    Voter subject = voter(option(words, "id", "9"));
    subject.key = key("id", "9");
    if (has_option(words, "port")) subject.endpoints.front().port = static_cast<uint16_t>(number("port", 0));
    if (has_option(words, "listener")) subject.endpoints.front().listener = option(words, "listener");
    subject.kraft_version_max = static_cast<int16_t>(number("max", 1));
    if (kind == "add") return AddVoterRequest{cluster, subject, !has_option(words, "appended")};
    if (kind == "remove") return RemoveVoterRequest{cluster, subject.key};
    if (kind == "update") return UpdateVoterRequest{cluster, epoch, subject};
    if (kind == "fetchsnapshot") {
      EpochEnd id = end_at_epoch(option(words, "snapshot"));
      return FetchSnapshotRequest{cluster, key("from", "9"), epoch, id, number("position", 0)};
    }
    EpochEnd at = end_at_epoch(option(words, "at", "0@0"));
    return FetchRequest{.cluster_id = cluster,
                        .replica = key("from", "9"),
                        .epoch = epoch,
                        .offset = at.end,
                        .last_epoch = at.epoch,
                        .high_watermark = Offset(number("hw", -1)),
                        .max_wait_ms = static_cast<int32_t>(number("wait", 500))};
  }

  void answer(const Words& words) {
    size_t arrow = words.at(1).find('>');
    int32_t from = std::stoi(words[1].substr(0, arrow));
    int32_t to = std::stoi(words[1].substr(arrow + 1));
    auto newest =
        std::find_if(mail_.rbegin(), mail_.rend(), [&](const Letter& l) { return l.from == to && l.send.to == from; });
    if (newest == mail_.rend()) {
      say() << to << " asked nothing of " << from << "\n";
      return;
    }
    uint64_t correlation = newest->send.correlation;
    mail_.erase(std::next(newest).base());
    Node& node = nodes_.at(to);
    const std::string& kind = words.at(2);
    if (kind == "unsupported") return carry_out(node, node.raft->on_unsupported(now(), correlation));
    Leadership leadership{
        std::stoi(option(words, "leader", "-1")), LeaderEpoch(std::stoi(option(words, "epoch", "0"))), {}};
    auto error = static_cast<KafkaError>(std::stoi(option(words, "error", "0")));
    Response response;
    if (kind == "granted" || kind == "refused") {
      response = VoteResponse{error, leadership, kind == "granted"};
    } else if (kind == "fetch") {
      FetchResponse fetch{.error = error, .leadership = leadership};
      fetch.high_watermark = Offset(std::stoll(option(words, "hw", "-1")));
      if (has_option(words, "diverging")) fetch.diverging = end_at_epoch(option(words, "diverging"));
      if (has_option(words, "snapshot")) fetch.snapshot = end_at_epoch(option(words, "snapshot"));
      response = fetch;
    } else if (kind == "versions") {
      response = SupportedVersionsResponse{error, 0, static_cast<int16_t>(std::stoi(option(words, "max", "1")))};
    } else {
      response = QuorumEpochResponse{error, leadership};
    }
    carry_out(node, node.raft->on_response(now(), correlation, response));
  }

  void show() {
    for (auto& [id, node] : nodes_) {
      if (!node.raft) {
        say() << id << " is down\n";
        continue;
      }
      const Raft& raft = *node.raft;
      say() << id << " " << role_name(raft.role()) << " in epoch " << raft.epoch().value << ", leader "
            << raft.leader_id() << ", log " << raft.log().start().value << ".." << text_of(raft.log().end_of_log())
            << ", synced to " << raft.log().flushed().value << ", high watermark "
            << raft.high_watermark().value_or(Offset(-1)).value << "\n";
    }
  }

  Words voter_ids_;
  int16_t kraft_version_ = 1;
  std::map<int32_t, Node> nodes_;
  std::deque<Letter> mail_;
  std::deque<Answer> answers_;
  std::deque<int32_t> to_sync_;
  std::deque<std::pair<int32_t, SnapshotId>> downloaded_;
  std::map<RequestToken, Asked> asked_;
  RequestToken next_token_ = 1;
  int64_t now_ = 0;
  std::ostream* out_ = nullptr;
};

TEST(Transcript, ReadsAsWritten) {
  testing::expect_transcripts<Quorum>(BARNABAS_TESTDATA);
}

}  // namespace
}  // namespace barnabas::raft
