#include "sim/sim_random.h"

namespace barnabas::sim {

SimRandom::SimRandom(uint64_t seed, std::string_view stream) : state_(seed) {
  // FNV-1a over the name, so that the streams of neighbouring seeds have nothing in common.
  for (char c : stream) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  next();
}

uint64_t SimRandom::next() {  // splitmix64
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace barnabas::sim
