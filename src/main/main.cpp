#include "cli/commands.h"

int main(int argc, char** argv) {
  return barnabas::cli::run(argc, argv);
}
