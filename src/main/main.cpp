#include "cli/run.h"

int main(int argc, char** argv) {
  return barnabas::cli::run(argc, argv);
}
