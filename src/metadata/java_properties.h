// The little of Java's properties format that meta.properties needs: comments, escapes, and the date Java writes on
// top.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace barnabas::metadata {

// "Mon Nov 23 08:46:40 UTC 2026"
std::string java_date(TimestampMs now);

// A value as Properties.store writes it: leading blanks, '\', '=', ':', '#', '!' and control characters escaped.
std::string escape_property(std::string_view value);

// Key to value; the last of equal keys wins.
std::map<std::string, std::string, std::less<>> parse_java_properties(std::string_view text);

}  // namespace barnabas::metadata
