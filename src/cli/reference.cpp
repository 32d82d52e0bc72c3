// docs/cli.md and the manual pages, made of the command table.
#include <fmt/format.h>

#include <algorithm>

#include "cli/help.h"

namespace barnabas::cli {

namespace {

// ---- Markdown

std::string in_cell(std::string_view text) {
  std::string safe;
  for (char c : text) {
    if (c == '|' || c == '<' || c == '>') safe += '\\';
    safe += c;
  }
  return safe;
}

void put_flags(std::string& out, std::string_view title, std::span<const Flag> flags) {
  if (flags.empty()) return;
  out += fmt::format("\n| {} | |\n|---|---|\n", title);
  for (const Flag& flag : flags) out += fmt::format("| `{}` | {} |\n", flag_form(flag), in_cell(flag_help(flag)));
}

void put_command(std::string& out, const Command& command) {
  out += fmt::format("\n### {}\n\n{}.\n\n```\n{}\n```\n", command.path, command.summary, usage_line(command));
  if (!command.positionals.empty()) {
    out += "\n| argument | |\n|---|---|\n";
    for (const Positional& positional : command.positionals) {
      out += fmt::format("| `{}` | {} |\n", positional.name, in_cell(positional.help));
    }
  }
  put_flags(out, "flag", command.flags);
  if (!command.text.empty()) out += fmt::format("\n{}\n", command.text);
  if (!command.examples.empty()) {
    out += "\n```\n";
    for (const Example& example : command.examples) {
      out += fmt::format("# {}\nbarnabas {}\n", example.what, example.command);
    }
    out += "```\n";
  }
  if (!command.aliases.empty()) out += fmt::format("\nAlso: {}.\n", fmt::join(command.aliases, ", "));
}

// ---- roff

// Text as roff takes it: no line begins with a control character, no backslash is an escape.
std::string roff(std::string_view text) {
  std::string out;
  unsigned code = 0, left = 0;
  for (char c : text) {
    bool begins = out.empty() || out.back() == '\n';
    if (begins && c == '\n') {  // an empty line
      out += ".PP\n";
      continue;
    }
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {  // UTF-8 as escapes, which every roff takes
      code = byte >= 0xf0   ? byte & 0x07u
             : byte >= 0xe0 ? byte & 0x0fu
             : byte >= 0xc0 ? byte & 0x1fu
                            : code << 6 | (byte & 0x3fu);
      if (byte >= 0xc0) left = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      if (byte < 0xc0 && --left == 0) out += fmt::format("\\[u{:04X}]", code);
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string page_head(std::string_view name, std::string_view summary) {
  std::string title(name);
  for (char& c : title) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string first(summary);
  if (!first.empty()) first[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(first[0])));
  return fmt::format(".TH \"{}\" 1 \"\" \"barnabas\" \"Barnabas\"\n.SH NAME\n{} \\- {}\n", roff(title), roff(name),
                     roff(first));
}

void put_manual_flags(std::string& out, std::string_view title, std::span<const Flag> flags) {
  if (flags.empty()) return;
  out += fmt::format(".SH {}\n", title);
  for (const Flag& flag : flags) {
    out += fmt::format(".TP\n.B {}\n{}.\n", roff(flag_form(flag)), roff(flag_help(flag)));
  }
}

std::string page_name(std::string_view path) {
  std::string name = fmt::format("barnabas-{}", path);
  std::ranges::replace(name, ' ', '-');
  return name;
}

constexpr std::string_view kExitCodes =
    ".SH EXIT STATUS\n0 done, 1 failed (also when one of several things failed), 2 wrong usage, 3 timed out or not "
    "reachable.\n";

std::string page_of(const Command& command) {
  std::string out = page_head(page_name(command.path), command.summary);
  out += fmt::format(".SH SYNOPSIS\n.B {}\n", roff(usage_line(command)));
  out += fmt::format(".SH DESCRIPTION\n{}.\n", roff(command.summary));
  if (!command.text.empty()) out += fmt::format(".PP\n{}\n", roff(command.text));
  if (!command.positionals.empty()) out += ".SH ARGUMENTS\n";
  for (const Positional& positional : command.positionals) {
    out += fmt::format(".TP\n.I {}\n{}.\n", roff(positional.name), roff(positional.help));
  }
  put_manual_flags(out, "FLAGS", command.flags);
  if (command.connects) put_manual_flags(out, "WHICH CLUSTER", flags_not_own(command, connection_flags()));
  put_manual_flags(out, "COMMON FLAGS", flags_not_own(command, common_flags()));
  if (!command.examples.empty()) out += ".SH EXAMPLES\n";
  for (const Example& example : command.examples) {
    out += fmt::format(".PP\n{}:\n.PP\n.RS\n.nf\nbarnabas {}\n.fi\n.RE\n", roff(example.what), roff(example.command));
  }
  out += kExitCodes;
  out += fmt::format(".SH SEE ALSO\n.BR barnabas (1)\n");
  return out;
}

std::string page_of(const Noun& noun) {
  std::string out = page_head(page_name(noun.name), noun.summary);
  out += fmt::format(".SH SYNOPSIS\n.B barnabas {}\n.I verb\n[flags]\n.SH VERBS\n", roff(noun.name));
  for (const Command* command : commands_of(noun.name)) {
    out += fmt::format(".TP\n.BR {} (1)\n{}.\n", roff(page_name(command->path)), roff(command->summary));
  }
  return out;
}

std::string page_of_all() {
  std::string out = page_head("barnabas", "Kafka in one native binary, and a command line for any Kafka cluster");
  out += ".SH SYNOPSIS\n.B barnabas\n.I command\n[flags]\n.SH COMMANDS\n";
  for (const Noun& noun : nouns()) {
    out += fmt::format(".TP\n.BR {} (1)\n{}.\n", roff(page_name(noun.name)), roff(noun.summary));
  }
  put_manual_flags(out, "WHICH CLUSTER", connection_flags());
  put_manual_flags(out, "COMMON FLAGS", common_flags());
  out += ".SH ENVIRONMENT\n.TP\n.B BARNABAS_BOOTSTRAP_SERVER\nBrokers to begin with.\n";
  out += ".TP\n.B BARNABAS_PROFILE\nThe profile to use.\n.TP\n.B NO_COLOR\nNo colours.\n";
  return out + std::string(kExitCodes);
}

}  // namespace

std::string reference_document() {
  std::string out =
      "# The command line\n\nMade from the command table by `barnabas help --markdown`; a test checks that it is "
      "current.\n\n"
      "One program, `barnabas`, for a node and for any Kafka cluster. Standard output is data, standard error the "
      "rest. Exit codes: 0 done, 1\nfailed (also when one of several things failed), 2 wrong usage, 3 timed out or not "
      "reachable.\n\n"
      "JSON and YAML documents have `\"_v\": 1` and one list or object named after what it holds. Tables in JSON have "
      "every column, those of\n`-o wide` too, in lower case with `_` for `-`; what is absent is `null`. Things that "
      "were done are in `results`.\n";
  out += "\n| flag of every command | |\n|---|---|\n";
  for (const Flag& flag : common_flags())
    out += fmt::format("| `{}` | {} |\n", flag_form(flag), in_cell(flag_help(flag)));
  put_flags(out, "flag of commands that speak to a cluster", connection_flags());
  out +=
      "\nThe cluster is that of `-X`, over `--command-config`, over `--bootstrap-server`, over "
      "`BARNABAS_BOOTSTRAP_SERVER`, over the profile\n(`--profile`, `BARNABAS_PROFILE`, or the one in use), over "
      "127.0.0.1:9092. Flags of every command may stand before the command.\n";
  for (const Noun& noun : nouns()) {
    auto rows = commands_of(noun.name);
    if (rows.empty()) continue;
    bool alone = rows.size() == 1 && rows[0]->path == noun.name;
    out += fmt::format("\n## {}\n", noun.name);
    if (!alone) out += fmt::format("\n{}.\n", noun.summary);
    for (const Command* command : rows) put_command(out, *command);
  }
  return out;
}

std::vector<std::string> manual_page_names() {
  std::vector<std::string> names{"barnabas"};
  for (const Noun& noun : nouns()) {
    auto rows = commands_of(noun.name);
    if (rows.empty()) continue;
    if (rows.front()->path != noun.name) names.push_back(page_name(noun.name));
    for (const Command* command : rows) names.push_back(page_name(command->path));
  }
  return names;
}

std::optional<std::string> manual_page(std::string_view name) {
  if (name == "barnabas") return page_of_all();
  for (const Command& command : commands()) {
    if (!command.hidden && page_name(command.path) == name) return page_of(command);
  }
  for (const Noun& noun : nouns()) {
    if (page_name(noun.name) == name && !commands_of(noun.name).empty()) return page_of(noun);
  }
  return std::nullopt;
}

}  // namespace barnabas::cli
