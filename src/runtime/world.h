// World: everything a node may know of its surroundings. Built by `host` for a process, by `sim` for a simulated
// machine; everything above takes it as an argument. The referents outlive the node.
#pragma once

#include <vector>

namespace barnabas::runtime {

class Clock;
class Random;
class Network;
class Disk;
class Executor;
class WorkerPool;
class Logger;

struct World {
  Clock& clock;
  Random& random;
  Network& network;
  Disk& disk;
  WorkerPool& workers;
  Logger& logger;
  std::vector<Executor*> loops;  // at least one; loops[0] also runs the controller
};

// The same surroundings, with log lines going elsewhere.
inline World with_logger(const World& world, Logger& logger) {
  return {world.clock, world.random, world.network, world.disk, world.workers, logger, world.loops};
}

}  // namespace barnabas::runtime
