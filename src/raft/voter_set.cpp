#include "raft/voter_set.h"

#include <algorithm>

#include "base/check.h"
#include "wire/messages/voters_record.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::raft {

VoterSet::VoterSet(std::vector<Voter> voters) : voters_(std::move(voters)) {
  std::ranges::sort(voters_, {}, [](const Voter& voter) { return voter.key; });
}

const Voter* VoterSet::find(int32_t id) const {
  auto found = std::ranges::find(voters_, id, [](const Voter& voter) { return voter.key.id; });
  return found == voters_.end() ? nullptr : &*found;
}

bool VoterSet::contains(const ReplicaKey& key) const {
  const Voter* voter = find(key.id);
  return voter != nullptr && voter->key.same_as(key);
}

VoterSet VoterSet::with(const Voter& voter) const {
  std::vector<Voter> voters = without(voter.key.id).voters_;
  voters.push_back(voter);
  return VoterSet(std::move(voters));
}

VoterSet VoterSet::without(int32_t id) const {
  std::vector<Voter> voters = voters_;
  std::erase_if(voters, [&](const Voter& voter) { return voter.key.id == id; });
  return VoterSet(std::move(voters));
}

Buffer VoterSet::encode() const {
  wire::VotersRecord record;
  for (const Voter& voter : voters_) {
    auto& v = record.voters.emplace_back();
    v.voter_id = voter.key.id;
    v.voter_directory_id = voter.key.directory;
    for (const VoterEndpoint& endpoint : voter.endpoints) {
      auto& e = v.endpoints.emplace_back();
      e.name = endpoint.listener;
      e.host = endpoint.host;
      e.port = endpoint.port;
    }
    v.kraft_version_feature.min_supported_version = voter.kraft_version_min;
    v.kraft_version_feature.max_supported_version = voter.kraft_version_max;
  }
  wire::Writer writer;
  auto encoded = record.encode(writer, 0);
  CHECK(encoded.has_value());
  return writer.take_contiguous();
}

Result<VoterSet> VoterSet::decode(BytesView value) {
  wire::Reader reader(value);
  TRY_ASSIGN(auto record, wire::VotersRecord::decode(reader, 0));
  std::vector<Voter> voters;
  for (const auto& v : record.voters) {
    Voter& voter = voters.emplace_back();
    voter.key = {v.voter_id, v.voter_directory_id};
    for (const auto& e : v.endpoints) voter.endpoints.push_back({e.name, e.host, e.port});
    voter.kraft_version_min = v.kraft_version_feature.min_supported_version;
    voter.kraft_version_max = v.kraft_version_feature.max_supported_version;
  }
  return VoterSet(std::move(voters));
}

}  // namespace barnabas::raft
