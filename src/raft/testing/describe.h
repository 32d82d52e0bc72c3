// What the core says, in words: for transcripts and for messages of failed tests.
#pragma once

#include <string>

#include "base/bytes.h"
#include "raft/raft.h"

namespace barnabas::raft {

std::string text_of(const PersistedState& state);
std::string text_of(const EpochEnd& end);  // "12@3": ends before 12, with epoch 3
std::string text_of(const LeaderChange& change);
std::string text_of(const VoterSet& voters);
std::string text_of(const Request& request);
std::string text_of(const Response& response);
// Offsets, epoch and contents of one batch.
std::string text_of_batch(BytesView batch);
// Tells `log` of the voter sets and the kraft.version in `batch`, as who opens a log does.
void note_voters(BytesView batch, LogIndex& log);

}  // namespace barnabas::raft
