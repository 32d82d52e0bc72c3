#include "cli/command.h"

namespace barnabas::cli {

std::vector<Command> log_commands() {
  return {};
}
std::vector<Command> metadata_commands() {
  return {};
}

}  // namespace barnabas::cli
