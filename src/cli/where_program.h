// What an expression of Where is made of: nodes of a tree in one list, the root last.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cli/where.h"

namespace barnabas::cli {

// A step into JSON: a member's name or an index.
using WhereStep = std::variant<std::string, size_t>;

enum class WhereField { kTopic, kPartition, kOffset, kTimestamp, kKey, kValue, kHeader };

struct WhereNode {
  enum class Op {
    kLiteral,
    kField,
    kNot,
    kAnd,
    kOr,
    kEqual,
    kUnequal,
    kLess,
    kAtMost,
    kMore,
    kAtLeast,
    kMatch,
    kNoMatch
  };
  using Literal = std::variant<std::monostate, bool, int64_t, double, std::string>;

  Op op = Op::kLiteral;
  size_t left = 0, right = 0;  // earlier nodes; `left` alone for kNot, kMatch and kNoMatch
  Literal literal{};
  WhereField field = WhereField::kValue;
  std::string header{};           // of kHeader
  std::vector<WhereStep> path{};  // below kKey and kValue
  std::shared_ptr<re2::RE2> pattern{};
};

struct Where::Program {
  std::vector<WhereNode> nodes;
};

}  // namespace barnabas::cli
