// Commands about the commands: help, help-json, man, completion; and `complete`, which the completion scripts call.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "cli/command.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/invocation.h"
#include "cli/parse.h"

namespace barnabas::cli {

namespace {

bool is_noun(std::string_view word) {
  for (const Noun& noun : nouns()) {
    if (noun.name == word) return true;
  }
  return false;
}

// The command that words name, aliases resolved; tells when there is none.
const Command* named_command(Invocation& call, const std::vector<std::string>& words) {
  std::vector<std::string_view> views(words.begin(), words.end());
  const Command* command = find_command(views);
  if (command == nullptr) {
    auto parsed = parse(views);
    call.usage(parsed || words.size() > 2 ? fmt::format("there is no command '{}'", fmt::join(words, " "))
                                          : parsed.error());
  }
  return command;
}

int help(Invocation& call) {
  auto words = call.values("command");
  Output& out = call.out();
  if (call.has("markdown")) {
    out.raw(reference_document());
    return kDone;
  }
  bool documents = out.format() == Format::kJson || out.format() == Format::kYaml;
  if (words.empty()) {
    out.raw(out.format() == Format::kJson ? help_json() : help_overview());
    return kDone;
  }
  std::vector<std::string_view> views(words.begin(), words.end());
  if (words.size() == 1 && is_noun(words[0]) && find_command(views) == nullptr) {
    if (!documents) {
      out.raw(help_on_noun(words[0]));
      return kDone;
    }
    Value::List rows;
    for (const Command* command : commands_of(words[0])) rows.push_back(command_value(*command));
    out.print("commands", rows, words[0]);
    return kDone;
  }
  const Command* command = named_command(call, words);
  if (command == nullptr) return kUsage;
  if (documents) {
    out.print("command", command_value(*command), command->path);
  } else {
    out.raw(help_on(*command));
  }
  return kDone;
}

int json(Invocation& call) {
  call.out().raw(help_json());
  return kDone;
}

int install_pages(Invocation& call, const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  int64_t count = 0;
  for (const std::string& name : manual_page_names()) {
    std::filesystem::path file = folder / (name + ".1");
    std::ofstream page(file, std::ios::trunc);
    page << manual_page(name).value_or("");
    page.close();
    if (!page) {
      return call.fail(
          {.kind = client::Error::Kind::kIo, .message = fmt::format("{} cannot be written", file.string())});
    }
    ++count;
  }
  Value result;
  result.add("directory", folder.string()).add("pages", count);
  call.out().done(fmt::format("Wrote {} pages to {}.", count, folder.string()), result, folder.string());
  return kDone;
}

int man(Invocation& call) {
  auto words = call.values("command");
  if (!words.empty() && words[0] == "install") {
    if (words.size() != 2) return call.usage("man install wants a directory");
    return install_pages(call, words[1]);
  }
  std::string name = "barnabas";
  if (words.size() == 1 && is_noun(words[0])) {
    name += "-" + words[0];
  } else if (!words.empty()) {
    const Command* command = named_command(call, words);
    if (command == nullptr) return kUsage;
    for (char c : " " + std::string(command->path)) name += c == ' ' ? '-' : c;
  }
  auto page = manual_page(name);
  if (!page) return call.usage(fmt::format("there is no page {}", name));
  call.out().raw(*page);
  return kDone;
}

int completion(Invocation& call) {
  call.out().raw(completion_script(call.value("shell")));
  return kDone;
}

}  // namespace

std::vector<Command> help_commands() {
  return {
      {.path = "completion",
       .summary = "Print the completion script of a shell",
       .positionals = {{.name = "shell", .help = "bash, zsh or fish", .choices = {"bash", "zsh", "fish"}}},
       .examples = {{"completion bash > ~/.local/share/bash-completion/completions/barnabas", "for bash"},
                    {"completion zsh > ~/.zfunc/_barnabas", "for zsh, with ~/.zfunc in fpath"},
                    {"completion fish > ~/.config/fish/completions/barnabas.fish", "for fish"}},
       .connects = false,
       .text =
           "Names of topics, groups and brokers are asked of the cluster, in 300 ms at most, and kept for ten seconds "
           "in $XDG_CACHE_HOME/barnabas, else ~/.cache/barnabas.",
       .run = completion},
      {.path = "man",
       .summary = "Print the manual page of a command, or install all pages",
       .positionals = {{.name = "command",
                        .help = "a command; or install DIRECTORY",
                        .required = false,
                        .repeated = true,
                        .completes = Completes::kCommand}},
       .examples = {{"man topic create | man -l -", "read a page"},
                    {"man install ~/.local/share/man/man1", "barnabas.1, barnabas-topic-create.1, …"}},
       .connects = false,
       .run = man},
      {.path = "help",
       .summary = "Say what a command does",
       .positionals = {{.name = "command",
                        .help = "the command; all when absent",
                        .required = false,
                        .repeated = true,
                        .completes = Completes::kCommand}},
       .flags = {{.name = "markdown", .help = "the reference of all commands, as in docs/cli.md"}},
       .examples = {{"help topic create", "as barnabas topic create --help"}},
       .connects = false,
       .run = help},
      {.path = "help-json", .summary = "Print the table of all commands as JSON", .connects = false, .run = json},
      {.path = "complete",
       .summary = "What could stand at the end of a command line",
       .positionals = {{.name = "word", .required = false, .repeated = true}},
       .connects = false,
       .hidden = true,
       .run = complete},
  };
}

}  // namespace barnabas::cli
