// Formatting: what makes directories a Kafka node's: meta.properties in each, bootstrap.checkpoint (and, for a dynamic
// quorum that begins with this node, the checkpoint of its first voters) in the metadata directory. Kafka's layout of
// releases up to 4.3, which later ones read too.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "config/node_config.h"
#include "raft/voter_set.h"
#include "runtime/world.h"
#include "wire/metadata_record.h"

namespace barnabas::node {

struct FormatOptions {
  std::string cluster_id;
  std::map<std::string, int16_t> levels;              // of features, metadata.version among them; kraft.version aside
  std::vector<wire::MetadataRecord> further_records;  // --add-scram
  enum class Voters { kStandalone, kInitial, kNone };
  Voters voters = Voters::kStandalone;
  std::vector<raft::Voter> initial_voters;  // kInitial
  bool ignore_formatted = false;
  // Where our controller listener really is, if the configured port was 0.
  std::vector<raft::VoterEndpoint> own_endpoints;
};

// What a directory's meta.properties says.
struct FormatState {
  std::string path;
  bool formatted = false;
  std::string cluster_id;
  std::optional<int32_t> node_id;
  std::optional<Uuid> directory_id;  // none: formatted before there were any (Kafka 3.7)
};

// All directories of a node, the metadata directory among them, without doubles.
std::vector<std::string> all_dirs(const config::NodeConfig& config);

Result<FormatState> read_format(runtime::World& world, const std::string& path);

// Makes one directory a Kafka node's, whatever it was. Its new id.
Result<Uuid> format_dir(runtime::World& world, const config::NodeConfig& config, const FormatOptions& options,
                        const std::string& path);
// Gives a directory that is formatted, but has no id, one.
Result<Uuid> add_directory_id(runtime::World& world, const FormatState& dir);

// Formats the directories that are not; kExists names one that is, unless ignore_formatted. Returns those formatted
// now.
Result<std::vector<std::string>> format(runtime::World& world, const config::NodeConfig& config,
                                        const FormatOptions& options);

}  // namespace barnabas::node
