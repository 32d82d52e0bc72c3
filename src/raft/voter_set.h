// Who votes. A replica is an id plus the id of its directory: an erased disk is a different replica and cannot vote for
// the old one (KIP-853). With kraft.version 0 the directory ids are not known and only ids count.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"

namespace barnabas::raft {

struct ReplicaKey {
  int32_t id = -1;
  Uuid directory;  // zero: not known

  auto operator<=>(const ReplicaKey&) const = default;
  // The same id, and the same directory where both are known.
  bool same_as(const ReplicaKey& other) const {
    return id == other.id && (directory.is_zero() || other.directory.is_zero() || directory == other.directory);
  }
};

struct VoterEndpoint {
  std::string listener;
  std::string host;
  uint16_t port = 0;

  bool operator==(const VoterEndpoint&) const = default;
};

struct Voter {
  ReplicaKey key;
  std::vector<VoterEndpoint> endpoints;
  int16_t kraft_version_min = 0;
  int16_t kraft_version_max = 1;

  bool operator==(const Voter&) const = default;
};

class VoterSet {
 public:
  VoterSet() = default;
  explicit VoterSet(std::vector<Voter> voters);  // sorted by id here

  const std::vector<Voter>& voters() const { return voters_; }
  size_t size() const { return voters_.size(); }
  bool empty() const { return voters_.empty(); }
  const Voter* find(int32_t id) const;
  bool contains(const ReplicaKey& key) const;
  bool is_only(const ReplicaKey& key) const { return size() == 1 && contains(key); }
  // With one voter more; or one less; or one told anew. Each finds its voter by id.
  VoterSet with(const Voter& voter) const;
  VoterSet without(int32_t id) const;
  size_t majority() const { return voters_.size() / 2 + 1; }

  // The value of a KRaftVoters control record (VotersRecord version 0).
  Buffer encode() const;
  static Result<VoterSet> decode(BytesView value);

  bool operator==(const VoterSet&) const = default;

 private:
  std::vector<Voter> voters_;
};

}  // namespace barnabas::raft
