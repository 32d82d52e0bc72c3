// The whole program: from argv to an exit code.
#pragma once

namespace barnabas::cli {

int run(int argc, char** argv);

}  // namespace barnabas::cli
