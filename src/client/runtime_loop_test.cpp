#include "client/runtime_loop.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/future.h"
#include "runtime/logger.h"

namespace barnabas::client {
namespace {

RuntimeLoop& loop_of(const std::shared_ptr<Runtime>& runtime) {
  return static_cast<RuntimeLoop&>(*runtime);
}

Future<std::string> later(RuntimeLoop& runtime, std::string text) {
  Promise<std::string> promise;
  auto future = promise.future();
  runtime.loop().post([promise = std::move(promise), text] { promise.set(text); });
  return future;
}

Future<std::string> twice(RuntimeLoop& runtime, std::string text) {
  auto first = co_await later(runtime, text);
  auto second = co_await later(runtime, *first);
  co_return *first + *second;
}

TEST(RuntimeLoop, AResultCrossesFromItsThreadToTheOneThatWaits) {
  auto runtime = Runtime::create();
  EXPECT_FALSE(detail::on_client_thread());
  EXPECT_EQ(later(loop_of(runtime), "a").get(), "a");
}

TEST(RuntimeLoop, AFutureIsACoroutine) {
  auto runtime = Runtime::create();
  EXPECT_EQ(twice(loop_of(runtime), "a").get(), "aa");
}

TEST(RuntimeLoop, WaitingForItselfIsRefused) {
  auto runtime = Runtime::create();
  Promise<bool> never;
  auto waited = std::make_shared<Promise<Error>>();
  auto answer = waited->future();
  loop_of(runtime).loop().post([waited, future = never.future()]() mutable {
    auto result = future.get();
    waited->set(result ? Error{} : result.error());
  });
  auto error = answer.get();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, Error::Kind::kInvalidArgument);
  EXPECT_NE(error->message.find("own thread"), std::string::npos);
  // get_for is refused as get is.
  auto polled = std::make_shared<Promise<bool>>();
  auto refused = polled->future();
  loop_of(runtime).loop().post([polled, future = never.future()]() mutable {
    auto result = future.get_for(std::chrono::hours(1));
    polled->set(result.has_value() && !result->has_value());
  });
  EXPECT_EQ(refused.get(), true);
}

TEST(RuntimeLoop, ADroppedPromiseEndsItsFuture) {
  Future<int> future = Promise<int>().future();
  auto result = future.get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, Error::Kind::kCancelled);
}

TEST(RuntimeLoop, TheLastUserMayBeOnItsOwnThread) {
  auto runtime = Runtime::create();
  auto& loop = loop_of(runtime).loop();
  Promise<bool> ended;
  auto future = ended.future();
  loop.post([keep = std::move(runtime), ended = std::move(ended)]() mutable {
    keep.reset();
    ended.set(true);
  });
  EXPECT_EQ(future.get(), true);
}

TEST(RuntimeLoop, LogLinesGoWhereTheProgramWantsThem) {
  auto lines = std::make_shared<std::vector<std::string>>();
  auto runtime = Runtime::create(
      {.log_level = LogLevel::kInfo, .log_sink = [lines](std::string_view line) { lines->emplace_back(line); }});
  loop_of(runtime).world().logger.info("connected");
  runtime.reset();
  ASSERT_EQ(lines->size(), 1u);
  EXPECT_NE(lines->front().find("INFO connected"), std::string::npos);
}

}  // namespace
}  // namespace barnabas::client
