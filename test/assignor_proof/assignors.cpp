// Reads the groups that AssignorProof.java prints and compares what our assignors give their members. Prints each
// difference, and "passed N", "failed N" at the end.
#include <fmt/core.h>

#include <iostream>
#include <set>
#include <sstream>

#include "base/check.h"
#include "client/consumer/assignor.h"

namespace {

using namespace barnabas;
using namespace barnabas::client;

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) {
    if (part != "-") parts.push_back(part);
  }
  return parts;
}

Buffer unhex(const std::string& text) {
  Buffer bytes;
  for (size_t at = 0; at + 1 < text.size(); at += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

struct Case {
  std::string assignor;
  AssignableTopics topics;
  std::vector<MemberSubscription> members;
  std::map<std::string, std::set<std::string>> expected;
  std::string text;
};

bool check(Case given) {
  // As the leader does: only what somebody wants.
  std::set<std::string> wanted;
  for (const auto& member : given.members) wanted.insert(member.topics.begin(), member.topics.end());
  std::erase_if(given.topics, [&](const auto& topic) { return !wanted.contains(topic.first); });
  GroupAssignment assigned = Assignor::make(given.assignor)->assign(given.members, given.topics);
  bool same = true;
  for (const auto& [member, expected] : given.expected) {
    std::set<std::string> got;
    for (const auto& at : assigned[member]) got.insert(fmt::format("{}:{}", at.topic, at.partition));
    if (got == expected) continue;
    same = false;
    std::cout << "differs: " << member << " got";
    for (const auto& at : got) std::cout << ' ' << at;
    std::cout << '\n';
  }
  if (!same) std::cout << given.text << '\n';
  return same;
}

}  // namespace

int main() {
  int passed = 0, failed = 0;
  Case now;
  for (std::string line; std::getline(std::cin, line);) {
    now.text += line + "\n";
    auto words = split(line, ' ');
    if (words.empty()) continue;
    if (words[0] == "case") {
      now = {.assignor = words[1], .text = line + "\n"};
    } else if (words[0] == "topic") {
      auto& topic = now.topics[words[1]];
      std::istringstream in(line);
      std::string word;
      in >> word >> word;
      while (in >> word) topic.racks.push_back(split(word, ','));
    } else if (words[0] == "member") {
      Buffer bytes = unhex(words.back());
      auto member = decode_subscription(bytes);
      CHECK(member.has_value(), "Java's subscription is read");
      // Told again it is the same to the byte.
      if (encode_subscription(*member) != bytes) {
        ++failed;
        std::cout << "encodes differently: " << line << '\n';
      }
      member->member_id = words[1];
      if (words.size() == 4) member->instance_id = words[2];
      now.members.push_back(*std::move(member));
    } else if (words[0] == "expect") {
      auto partitions = words.size() > 2 ? split(words[2], ',') : std::vector<std::string>();
      now.expected[words[1]] = {partitions.begin(), partitions.end()};
    } else if (words[0] == "end") {
      check(std::move(now)) ? ++passed : ++failed;
    }
  }
  std::cout << "passed " << passed << "\nfailed " << failed << '\n';
  return failed == 0 ? 0 : 1;
}
