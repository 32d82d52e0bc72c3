// Transcripts: testdata/*.txt are commands with everything that came out of them, so that a protocol reads like a
// conversation. A line with two spaces in front is output, "#" starts a comment, every other line is a command in
// words. expect_transcripts() plays each file in a world of its own and fails with the difference;
// BARNABAS_UPDATE_TRANSCRIPTS=1 writes the outputs anew instead. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace barnabas::testing {

using Words = std::vector<std::string>;

inline Words split(const std::string& text, char separator) {
  Words words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, separator);) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// The value of the word "key=value" among `words`, or `otherwise`.
inline std::string option(const Words& words, const std::string& key, std::string otherwise = "") {
  for (const std::string& word : words) {
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  }
  return otherwise;
}

inline bool has_option(const Words& words, const std::string& key) {
  return std::ranges::any_of(words, [&](const std::string& word) { return word.starts_with(key + "="); });
}

// `input` with its outputs said anew by `world`, which has `void play(const Words&, std::ostream&)`.
template <class World>
std::string play_transcript(const std::string& input, World& world) {
  std::istringstream in(input);
  std::ostringstream script;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("  ")) continue;
    script << line << "\n";
    if (line.empty() || line.starts_with("#")) continue;
    std::stringstream said;
    world.play(split(line, ' '), said);
    for (std::string answer; std::getline(said, answer);) script << "  " << answer << "\n";
  }
  return script.str();
}

// Plays every *.txt of `folder`, each with a new `World`.
template <class World>
void expect_transcripts(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  ASSERT_FALSE(files.empty()) << folder;
  for (const auto& path : files) {
    SCOPED_TRACE(path.filename().string());
    std::ifstream in(path);
    std::string expected((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    World world;
    std::string actual = play_transcript(expected, world);
    if (std::getenv("BARNABAS_UPDATE_TRANSCRIPTS") != nullptr) {
      std::ofstream(path) << actual;
    } else {
      EXPECT_EQ(expected, actual) << "BARNABAS_UPDATE_TRANSCRIPTS=1 writes " << path.filename() << " anew";
    }
  }
}

}  // namespace barnabas::testing
