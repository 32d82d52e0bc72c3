#include "cli/command.h"

namespace barnabas::cli {

std::vector<Command> cluster_commands() {
  return {};
}
std::vector<Command> broker_commands() {
  return {};
}
std::vector<Command> quorum_commands() {
  return {};
}
std::vector<Command> partition_commands() {
  return {};
}
std::vector<Command> log_commands() {
  return {};
}
std::vector<Command> metadata_commands() {
  return {};
}
std::vector<Command> top_commands() {
  return {};
}
std::vector<Command> profile_commands() {
  return {};
}
std::vector<Command> help_commands() {
  return {};
}

}  // namespace barnabas::cli
