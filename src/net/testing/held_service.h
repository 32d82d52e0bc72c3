// HeldService: answers a request when the test says so. The text of a frame is its name; names that begin with 'p' may
// overlap, as Produce does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "net/service.h"
#include "runtime/completion.h"

namespace barnabas::net::testing {

inline std::string framed(std::string_view text) {
  std::string bytes(4, '\0');
  store_be<uint32_t>(reinterpret_cast<std::byte*>(bytes.data()), static_cast<uint32_t>(text.size()));
  return bytes.append(text);
}

class HeldService final : public Service {
 public:
  std::vector<std::string> started;   // in order
  std::vector<std::string> finished;  // in order
  bool answer_at_once = false;

  void answer(const std::string& name, Answer answer) {
    auto held = held_.extract(name);
    CHECK(!held.empty(), "no such request is held");
    held.mapped().set(std::move(answer));
  }
  // Answers with a frame of `text`.
  void answer(const std::string& name, std::string_view text) { answer(name, with_text(text)); }
  void answer(const std::string& name) { answer(name, "re:" + name); }

  static Answer with_text(std::string_view text) {
    std::string bytes = framed(text);
    Answer answer;
    answer.segments.push_back(Payload::own(Buffer(as_bytes(bytes).begin(), as_bytes(bytes).end())));
    return answer;
  }

  runtime::Task<Answer> serve(Frame frame, ConnectionInfo& connection, runtime::CancelToken token) override {
    std::string name(reinterpret_cast<const char*>(frame.payload.data()), frame.payload.size());
    started.push_back(name);
    if (answer_at_once) co_return with_text("re:" + name);
    runtime::Completion<Answer> completion;
    held_.emplace(name, completion);
    auto answer = co_await completion.wait(*connection.loop, token);
    finished.push_back(name);
    if (answer) co_return std::move(*answer);
    held_.erase(name);
    co_return Answer{};
  }
  bool may_overlap(BytesView frame, const ConnectionInfo&) const override {
    return !frame.empty() && static_cast<char>(frame.front()) == 'p';
  }

 private:
  std::map<std::string, runtime::Completion<Answer>> held_;
};

}  // namespace barnabas::net::testing
