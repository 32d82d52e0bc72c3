#include "cli/run.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "cli/help.h"
#include "cli/parse.h"
#include "cli/shims/shim.h"

namespace barnabas::cli {

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write, not an end in the middle
  std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (const shims::Shim* shim = shims::find_shim(argv[0])) return shim->run(arguments);
  if (arguments.size() > 1 && arguments[0] == "shim") {
    const shims::Shim* shim = shims::find_shim(arguments[1]);
    if (shim) return shim->run(std::span(arguments).subspan(2));
  }
  if (arguments.size() == 1 && arguments[0] == "--help-json") {
    fmt::print("{}", help_json());
    return kDone;
  }
  auto parsed = parse(arguments);
  if (!parsed) {
    fmt::print(stderr, "barnabas: {}{}\n", parsed.error(), parsed.error().ends_with("?") ? "" : ".");
    return kUsage;
  }
  if (parsed->command == nullptr) {
    fmt::print("{}", parsed->noun.empty() ? help_overview() : help_on_noun(parsed->noun));
    return arguments.empty() ? kUsage : kDone;
  }
  if (parsed->help) {
    fmt::print("{}", help_on(*parsed->command));
    return kDone;
  }
  Invocation call(*parsed->command, std::move(parsed->values));
  int code = parsed->command->run(call);
  call.out().finish();
  // The kernel takes back what is left, sooner than destructors do: a client closes nothing that needs a goodbye.
  std::fflush(nullptr);
  std::_Exit(code != kDone ? code : call.exit_code());
}

}  // namespace barnabas::cli
