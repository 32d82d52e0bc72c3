// Completion: what could stand at the end of a command line that is not finished. The words come from the shell, the
// candidates from the command table; names of topics, groups and so on from `NamesOf`, which may ask the cluster.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/invocation.h"

namespace barnabas::cli {

struct Candidate {
  std::string text;
  std::string what{};  // a phrase, for shells that show one
};

struct Completion {
  std::vector<Candidate> candidates;
  bool files = false;  // the shell shall offer files
};

// The names of one kind there are now; `connection` are the flags of the line that say which cluster.
using NamesOf = std::function<std::vector<std::string>(Completes kind, const Invocation::Values& connection)>;

// `words` without the program's name; the last one is the word to complete, perhaps empty.
Completion complete_line(std::span<const std::string> words, const NamesOf& names);

// Names from the cluster within 300 ms, kept for ten seconds; whatever fails means no names.
std::vector<std::string> names_of_cluster(Completes kind, const Invocation::Values& connection);

// `barnabas complete -- WORDS`: a candidate a line, with its phrase after a tab; ":file" where files are meant.
int complete(Invocation& call);

}  // namespace barnabas::cli
