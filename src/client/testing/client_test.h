// ClientTest: a loop, a clock and a network of scripted brokers, for tests of what stands on connections.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "client/settings.h"
#include "client/testing/fake_network.h"
#include "runtime/file.h"
#include "runtime/logger.h"
#include "runtime/scope.h"
#include "runtime/testing/manual_executor.h"
#include "runtime/testing/manual_workers.h"
#include "runtime/world.h"

namespace barnabas::client::testing {

class NoDisk final : public runtime::Disk {
 public:
  barnabas::Result<std::unique_ptr<runtime::Directory>> open_directory(const std::string& path, bool) override {
    return fail(barnabas::ErrorCode::kNotFound, "there is no " + path);
  }
  std::string boot_id() override { return {}; }
};

class Lines final : public runtime::Logger {
 public:
  void log(runtime::LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class ClientTest : public ::testing::Test {
 protected:
  ~ClientTest() override {
    scope_.cancel();
    settle();
    EXPECT_TRUE(scope_.empty()) << "something did not end";
  }

  // Runs the loop and the brokers until nothing more happens at this moment.
  void settle() {
    bool more = true;
    while (more) {
      loop_.run_until_idle();
      more = network_.serve();
    }
  }
  // The same while time passes.
  void advance(Duration duration, Duration step = milliseconds(10)) {
    settle();
    for (MonotonicTime end = clock_.now() + duration; clock_.now() < end;) {
      loop_.advance(std::min(step, end - clock_.now()));
      settle();
    }
  }
  // Starts `task`; its result appears in the optional.
  template <class T>
  std::shared_ptr<std::optional<T>> start(runtime::Task<T> task) {
    auto result = std::make_shared<std::optional<T>>();
    loop_.spawn(scope_, keep(std::move(task), result));
    return result;
  }
  void start(runtime::Task<> task) { loop_.spawn(scope_, std::move(task)); }
  // Runs `task` to its end, time passing as it needs; stops after `limit`.
  template <class T>
  T run(runtime::Task<T> task, Duration limit = seconds(120)) {
    auto result = start(std::move(task));
    settle();
    for (MonotonicTime end = clock_.now() + limit; !result->has_value() && clock_.now() < end;) {
      advance(milliseconds(10));
    }
    CHECK(result->has_value(), "a task did not end");
    return **std::move(result);
  }

  runtime::testing::ManualClock clock_;
  runtime::testing::ManualExecutor loop_{clock_};
  runtime::testing::ManualWorkers workers_;
  FakeNetwork network_{loop_};
  FakeRandom random_;
  NoDisk disk_;
  Lines logger_;
  runtime::World world_{clock_, random_, network_, disk_, workers_, logger_, {&loop_}};
  runtime::Scope scope_{loop_};
  ClientSettings settings_;

 private:
  template <class T>
  static runtime::Task<> keep(runtime::Task<T> task, std::shared_ptr<std::optional<T>> result) {
    T value = co_await std::move(task);
    result->emplace(std::move(value));
  }
};

}  // namespace barnabas::client::testing
