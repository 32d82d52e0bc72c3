#include "cli/offset_choice.h"

#include <gtest/gtest.h>

namespace barnabas::cli {
namespace {

using Kind = OffsetChoice::Kind;

void expect(std::string_view text, Kind kind, int64_t number) {
  auto choice = OffsetChoice::parse(text);
  ASSERT_TRUE(choice) << text << ": " << choice.error();
  EXPECT_EQ(choice->kind, kind) << text;
  EXPECT_EQ(choice->number, number) << text;
}

TEST(OffsetChoice, ReadsPlaces) {
  expect("start", Kind::kStart, 0);
  expect("earliest", Kind::kStart, 0);
  expect("end", Kind::kEnd, 0);
  expect("latest", Kind::kEnd, 0);
  expect("0", Kind::kOffset, 0);
  expect("1234", Kind::kOffset, 1234);
  expect("+10", Kind::kShift, 10);
  expect("-10", Kind::kShift, -10);
  expect("@1761955200000", Kind::kTime, 1761955200000);
  expect("@2026-11-01", Kind::kTime, 1793491200000);
  expect("@2026-11-01T12:30", Kind::kTime, 1793536200000);
  expect("@2026-11-01T12:30:15.250Z", Kind::kTime, 1793536215250);
}

TEST(OffsetChoice, RefusesWhatIsNoPlace) {
  for (const char* text : {"", "middle", "@", "@yesterday", "@2026-13-01", "@2026-02-30", "@2026-11-01T25:00", "+-5",
                           "1x", "+", "-", "@-1y"}) {
    EXPECT_FALSE(OffsetChoice::parse(text)) << text;
  }
}

TEST(OffsetChoice, CountsTimesBackFromNow) {
  EXPECT_EQ(parse_time_ms("now", 1000000), 1000000);
  EXPECT_EQ(parse_time_ms("-1s", 1000000), 999000);
  EXPECT_EQ(parse_time_ms("-1h", 10000000), 6400000);
}

}  // namespace
}  // namespace barnabas::cli
