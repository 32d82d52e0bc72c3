#include "cli/split_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

namespace barnabas::cli {
namespace {

// All pieces of `input` written to a pipe in chunks; an error comes last, as "error: …".
std::vector<std::string> pieces(const std::string& input, std::string delimiter, size_t chunk = 1000,
                                size_t longest = 1 << 20) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe(ends), 0);
  std::thread writer([&] {
    for (size_t at = 0; at < input.size(); at += chunk) {
      std::string_view part = std::string_view(input).substr(at, chunk);
      if (write(ends[1], part.data(), part.size()) < 0) break;
    }
    close(ends[1]);
  });
  Interrupt interrupt;
  SplitReader reader(ends[0], std::move(delimiter), longest, interrupt);
  std::vector<std::string> found;
  while (true) {
    auto piece = reader.next();
    if (!piece) found.push_back("error: " + piece.error());
    if (!piece || !*piece) break;
    found.emplace_back(**piece);
    EXPECT_EQ(reader.number(), found.size());
  }
  // What is left is read, so that the writer ends.
  char rest[4096];
  while (read(ends[0], rest, sizeof(rest)) > 0) {
  }
  writer.join();
  close(ends[0]);
  return found;
}

using Pieces = std::vector<std::string>;

TEST(SplitReader, CutsAtTheDelimiter) {
  EXPECT_EQ(pieces("a\nb\n", "\n"), (Pieces{"a", "b"}));
  EXPECT_EQ(pieces("a\n\nb", "\n"), (Pieces{"a", "", "b"})) << "empty pieces count, the last needs no end";
  EXPECT_EQ(pieces("", "\n"), Pieces{});
  EXPECT_EQ(pieces(std::string("a\0b\0", 4), std::string(1, '\0')), (Pieces{"a", "b"}));
}

TEST(SplitReader, FindsADelimiterThatComesInParts) {
  for (size_t chunk : {1, 2, 3, 4}) {
    EXPECT_EQ(pieces("one||two|||three|", "||", chunk), (Pieces{"one", "two", "|three|"})) << chunk;
  }
}

TEST(SplitReader, TakesAllAsOneWithoutADelimiter) {
  EXPECT_EQ(pieces("a\nb", ""), Pieces{"a\nb"});
  EXPECT_EQ(pieces("", ""), Pieces{""});
}

TEST(SplitReader, GrowsForALongPieceAndNoFurther) {
  std::string large(700000, 'x');
  EXPECT_EQ(pieces(large + "\n" + large + "\nshort", "\n", 65536), (Pieces{large, large, "short"}));
  EXPECT_EQ(pieces("ok\n" + large, "\n", 65536, 600000), (Pieces{"ok", "error: record 2 is longer than 600000 bytes"}));
}

TEST(SplitReader, EndsWhenInterruptedWhileWaiting) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe(ends), 0);
  Interrupt interrupt;
  SplitReader reader(ends[0], "\n", 100, interrupt);
  raise(SIGINT);
  auto piece = reader.next();
  ASSERT_TRUE(piece);
  EXPECT_FALSE(piece->has_value());
  EXPECT_TRUE(interrupt.asked());
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace barnabas::cli
