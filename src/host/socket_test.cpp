#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <thread>

#include "host/host.h"
#include "host/run_task.h"
#include "host/socket_address.h"
#include "host/testing/temp_directory.h"
#include "host/unique_fd.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/scope.h"
#include "runtime/sleep.h"
#include "runtime/stream.h"

namespace barnabas::host {
namespace {

using runtime::CancelSource;
using runtime::CancelToken;
using runtime::Endpoint;
using runtime::Executor;
using runtime::Listener;
using runtime::Scope;
using runtime::Stream;
using runtime::Task;
using runtime::World;

constexpr Duration kLong = seconds(20);

// Reads until `size` bytes are there or the stream ends.
Task<Result<std::string>> read_exactly(Stream& stream, size_t size) {
  std::string text(size, '\0');
  size_t have = 0;
  while (have < size) {
    auto got = stream.try_read(std::as_writable_bytes(std::span(text)).subspan(have));
    if (!got) co_return std::unexpected(got.error());
    have += *got;
    if (*got > 0) continue;
    auto ready = co_await stream.readable({});
    if (!ready) co_return std::unexpected(ready.error());
  }
  co_return text;
}

Task<Result<>> send_text(Stream& stream, std::string text) {
  Payload part = Payload::view(as_bytes(text));
  auto sent = co_await write_all(stream, std::span(&part, 1));
  co_return sent;
}

struct Pair {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

Task<Pair> connected_pair(World& world) {
  Executor& home = *world.loops[0];
  auto listener = *world.network.listen({"127.0.0.1", 0});
  auto client = co_await world.network.connect(home, listener->local(), kLong, {});
  auto server = co_await listener->accept(home, {});
  CHECK(client && server);
  co_return Pair{std::move(*client), std::move(*server)};
}

// ---- many connections over two loops

struct EchoServer {
  explicit EchoServer(World& w) : world(w), listener(*world.network.listen({"127.0.0.1", 0})) {
    for (Executor* loop : world.loops) scopes.push_back(std::make_unique<Scope>(*loop));
    served.resize(world.loops.size());
  }
  World& world;
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Scope>> scopes;
  std::vector<int> served;
};

Task<> echo(std::unique_ptr<Stream> stream) {
  std::array<std::byte, 1000> buffer;
  while (true) {
    auto got = stream->try_read(buffer);
    if (!got) co_return;
    if (*got == 0) {
      auto ready = co_await stream->readable({});
      if (!ready) co_return;
      continue;
    }
    Payload part = Payload::view(BytesView(buffer).first(*got));
    auto sent = co_await write_all(*stream, std::span(&part, 1));
    if (!sent) co_return;
  }
}

Task<> accept_all(EchoServer& server, size_t loop) {
  while (true) {
    auto accepted = co_await server.listener->accept(*server.world.loops[loop], {});
    if (!accepted) co_return;
    CHECK(server.world.loops[loop]->is_current());
    ++server.served[loop];
    server.scopes[loop]->spawn(echo(std::move(*accepted)));
  }
}

Task<> one_client(World& world, Endpoint to, int number, int& good) {
  auto stream = co_await world.network.connect(*world.loops[0], to, kLong, {});
  if (!stream) co_return;
  for (int round = 0; round < 5; ++round) {
    std::string text(1 + (number * 7919 + round * 104729) % 20'000, static_cast<char>('a' + number % 26));
    auto sent = co_await send_text(**stream, text);
    if (!sent) co_return;
    auto back = co_await read_exactly(**stream, text.size());
    if (!back || *back != text) co_return;
  }
  ++good;
}

Task<int> echo_story(EchoServer& server, int clients) {
  World& world = server.world;
  for (size_t i = 0; i < world.loops.size(); ++i) {
    co_await runtime::resume_on(*world.loops[i]);
    server.scopes[i]->spawn(accept_all(server, i));
  }
  co_await runtime::resume_on(*world.loops[0]);
  int good = 0;
  Scope scope(*world.loops[0]);
  for (int i = 0; i < clients; ++i) scope.spawn(one_client(world, server.listener->local(), i, good));
  co_await scope.join();
  server.listener->close();
  for (size_t i = 0; i < world.loops.size(); ++i) {
    co_await runtime::resume_on(*world.loops[i]);
    co_await server.scopes[i]->join();
  }
  co_await runtime::resume_on(*world.loops[0]);
  co_return good;
}

TEST(Sockets, EchoesManyConnectionsSpreadEvenlyOverTheLoops) {
  Host host({.loops = 2});
  EchoServer server(host.world());
  EXPECT_EQ(run_task(host, echo_story(server, 200)), 200);
  EXPECT_NEAR(server.served[0], 100, 8);
  EXPECT_EQ(server.served[0] + server.served[1], 200);
}

// ---- how connections end

Task<> peer_ends(World& world) {
  Pair pair = co_await connected_pair(world);
  auto sent = co_await send_text(*pair.client, "last words");
  EXPECT_TRUE(sent);
  pair.client->close();
  auto words = co_await read_exactly(*pair.server, 10);
  EXPECT_EQ(*words, "last words") << "what was sent before the end arrives before the end";
  auto end = co_await read_exactly(*pair.server, 1);
  EXPECT_EQ(end.error().code, ErrorCode::kClosed);
  std::byte byte;
  EXPECT_EQ(pair.client->try_read(MutableBytes(&byte, 1)).error().code, ErrorCode::kClosed);
}

TEST(Sockets, TheEndOfTheStreamComesAfterItsBytes) {
  Host host({.loops = 1});
  run_task(host, peer_ends(host.world()));
}

Task<> peer_stops_sending(World& world) {
  Executor& home = *world.loops[0];
  auto listener = *world.network.listen({"127.0.0.1", 0});
  UniqueFd raw(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto addresses = *resolve(listener->local(), Resolve::kNumeric, false);
  EXPECT_EQ(::connect(raw.get(), addresses[0].get(), addresses[0].length), 0);
  auto server = co_await listener->accept(home, {});
  shutdown(raw.get(), SHUT_WR);
  auto end = co_await read_exactly(**server, 1);
  EXPECT_EQ(end.error().code, ErrorCode::kClosed);
  auto sent = co_await send_text(**server, "still here?");
  EXPECT_TRUE(sent) << "half a connection still carries the other half";
  char text[32];
  EXPECT_EQ(recv(raw.get(), text, sizeof(text), 0), 11);
}

TEST(Sockets, AHalfClosedConnectionCanStillBeWritten) {
  Host host({.loops = 1});
  run_task(host, peer_stops_sending(host.world()));
}

Task<> peer_resets(World& world) {
  Executor& home = *world.loops[0];
  auto listener = *world.network.listen({"127.0.0.1", 0});
  UniqueFd raw(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto addresses = *resolve(listener->local(), Resolve::kNumeric, false);
  EXPECT_EQ(::connect(raw.get(), addresses[0].get(), addresses[0].length), 0);
  auto server = co_await listener->accept(home, {});
  linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(raw.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  raw.reset();
  auto end = co_await read_exactly(**server, 1);
  EXPECT_EQ(end.error().code, ErrorCode::kClosed);
  auto sent = co_await send_text(**server, "hello?");
  EXPECT_EQ(sent.error().code, ErrorCode::kClosed);
}

TEST(Sockets, AResetEndsReadingAndWriting) {
  Host host({.loops = 1});
  run_task(host, peer_resets(host.world()));
}

Task<> expect_wait_ends(Stream& stream, CancelToken token, ErrorCode code, int& ended) {
  auto ready = co_await stream.readable(token);
  EXPECT_EQ(ready.error().code, code);
  ++ended;
}

Task<> waits_end(World& world) {
  Pair pair = co_await connected_pair(world);
  std::byte byte;
  EXPECT_EQ(*pair.server->try_read(MutableBytes(&byte, 1)), 0u);
  EXPECT_EQ(*pair.client->try_read(MutableBytes(&byte, 1)), 0u);
  int ended = 0;
  Scope scope(*world.loops[0]);
  CancelSource source;
  scope.spawn(expect_wait_ends(*pair.server, source.token(), ErrorCode::kCancelled, ended));
  scope.spawn(expect_wait_ends(*pair.client, {}, ErrorCode::kClosed, ended));
  EXPECT_EQ(ended, 0);
  source.request();
  pair.client->close();
  co_await scope.join();
  EXPECT_EQ(ended, 2);
  auto again = co_await pair.server->readable(source.token());
  EXPECT_EQ(again.error().code, ErrorCode::kCancelled);
}

TEST(Sockets, WaitsEndByTokenAndByClosing) {
  Host host({.loops = 1});
  run_task(host, waits_end(host.world()));
}

// ---- writing

Task<> send_parts(Stream& stream, std::vector<Payload> parts) {
  auto sent = co_await write_all(stream, parts);
  EXPECT_TRUE(sent);
}

Task<> send_everything(World& world, runtime::Directory& directory) {
  std::string content(5 << 20, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 + (i >> 12));
  auto file = *directory.open("file", runtime::OpenMode::kCreate);
  EXPECT_TRUE(file->write_at(0, as_bytes(content)));
  std::string expected;
  std::vector<Payload> parts;
  auto add_range = [&](size_t from, size_t length) {
    parts.push_back(Payload::range(file, from, length));
    expected += content.substr(from, length);
  };
  auto add_memory = [&](std::string text) {
    parts.push_back(Payload::own(to_buffer(as_bytes(text))));
    expected += text;
  };
  add_memory("header");
  add_range(100, 4'000'000);
  for (int i = 0; i < 100; ++i) {
    add_memory(std::string(i, 'm'));
    add_range(i * 1000, i * 150);
  }
  add_memory(std::string(1 << 20, 'b'));
  add_range(1, 20'000);
  add_range(5, 0);
  Pair pair = co_await connected_pair(world);
  Scope scope(*world.loops[0]);
  scope.spawn(send_parts(*pair.server, parts));
  auto got = co_await read_exactly(*pair.client, expected.size());
  co_await scope.join();
  EXPECT_TRUE(got && *got == expected);
}

TEST(Sockets, SendsMemoryAndFilesInOrderWhateverTheKernelTakesAtOnce) {
  Host host({.loops = 1});
  testing::TempDirectory temp;
  auto directory = *host.world().disk.open_directory(temp.path(), false);
  run_task(host, send_everything(host.world(), *directory));
}

Task<> send_too_much(World& world, runtime::Directory& directory) {
  auto file = *directory.open("file", runtime::OpenMode::kCreate);
  EXPECT_TRUE(file->truncate(100'000));
  Pair pair = co_await connected_pair(world);
  for (uint64_t length : {1000, 50'000}) {
    Payload part = Payload::range(file, 99'999, length);
    auto sent = co_await write_all(*pair.server, std::span(&part, 1));
    EXPECT_EQ(sent.error().code, ErrorCode::kCorrupt);
  }
}

TEST(Sockets, AFileShorterThanPromisedIsAnErrorAndNotAnEndlessLoop) {
  Host host({.loops = 1});
  testing::TempDirectory temp;
  auto directory = *host.world().disk.open_directory(temp.path(), false);
  run_task(host, send_too_much(host.world(), *directory));
}

// ---- listening and connecting

Task<> no_connection(World& world) {
  Executor& home = *world.loops[0];
  Endpoint gone;
  {
    auto listener = *world.network.listen({"127.0.0.1", 0});
    gone = listener->local();
    auto same = world.network.listen(gone);
    EXPECT_EQ(same.error().code, ErrorCode::kBusy);
    EXPECT_NE(same.error().message.find(std::to_string(gone.port)), std::string::npos) << same.error().message;
  }
  auto refused = co_await world.network.connect(home, gone, kLong, {});
  EXPECT_EQ(refused.error().code, ErrorCode::kClosed);
  auto again = world.network.listen(gone);
  EXPECT_TRUE(again) << "a closed listener frees its port at once";
}

TEST(Sockets, APortInUseIsAnErrorAndAClosedPortRefuses) {
  Host host({.loops = 1});
  run_task(host, no_connection(host.world()));
}

Task<> by_name(World& world) {
  Executor& home = *world.loops[0];
  auto listener = *world.network.listen({"", 0});
  for (const char* name : {"localhost", "127.0.0.1"}) {
    auto stream = co_await world.network.connect(home, {name, listener->local().port}, kLong, {});
    EXPECT_TRUE(stream) << name;
    auto accepted = co_await listener->accept(home, {});
    EXPECT_TRUE(accepted);
    EXPECT_EQ((*accepted)->peer(), (*stream)->local());
  }
  auto nowhere = co_await world.network.connect(home, {"no.such.host.invalid", 1}, kLong, {});
  EXPECT_FALSE(nowhere);
}

TEST(Sockets, ConnectsByNameToAListenerOnEveryAddress) {
  Host host({.loops = 1});
  run_task(host, by_name(host.world()));
}

// A listener whose backlog is full drops the handshake: the connection hangs, as it does to a dead machine.
Task<> never_answered(World& world) {
  Executor& home = *world.loops[0];
  UniqueFd full(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto any = *resolve({"127.0.0.1", 0}, Resolve::kNumeric, false);
  EXPECT_EQ(bind(full.get(), any[0].get(), any[0].length), 0);
  EXPECT_EQ(listen(full.get(), 0), 0);
  std::vector<std::unique_ptr<Stream>> accepted_by_kernel;
  Error last;
  for (int i = 0; i < 10; ++i) {
    auto stream = co_await world.network.connect(home, local_endpoint(full.get()), milliseconds(50), {});
    if (!stream) {
      last = stream.error();
      break;
    }
    accepted_by_kernel.push_back(std::move(*stream));
  }
  EXPECT_EQ(last.code, ErrorCode::kTimedOut) << last.message;
}

TEST(Sockets, ConnectingGivesUpInTime) {
  Host host({.loops = 1});
  run_task(host, never_answered(host.world()));
}

Task<> expect_accept_ends(Listener& listener, Executor& home, CancelToken token, ErrorCode code) {
  auto accepted = co_await listener.accept(home, token);
  EXPECT_EQ(accepted.error().code, code);
}

Task<> accepts_end(World& world) {
  Executor& home = *world.loops[0];
  auto listener = *world.network.listen({"127.0.0.1", 0});
  Scope scope(home);
  CancelSource source;
  scope.spawn(expect_accept_ends(*listener, home, source.token(), ErrorCode::kCancelled));
  source.request();
  co_await scope.join();
  scope.spawn(expect_accept_ends(*listener, home, {}, ErrorCode::kClosed));
  listener->close();
  co_await scope.join();
  auto late = co_await listener->accept(home, {});
  EXPECT_EQ(late.error().code, ErrorCode::kClosed);
}

TEST(Sockets, AcceptEndsByTokenAndByClosing) {
  Host host({.loops = 1});
  run_task(host, accepts_end(host.world()));
}

Task<> closed_from_elsewhere(World& world) {
  auto listener = *world.network.listen({"127.0.0.1", 0});
  Scope scope(*world.loops[0]);
  scope.spawn(expect_accept_ends(*listener, *world.loops[0], {}, ErrorCode::kClosed));
  co_await runtime::resume_on(*world.loops[1]);
  listener->close();
  co_await runtime::resume_on(*world.loops[0]);
  co_await scope.join();
}

TEST(Sockets, AListenerMayBeClosedOnAnyLoop) {
  Host host({.loops = 2});
  run_task(host, closed_from_elsewhere(host.world()));
}

// With every descriptor taken, accept must neither spin nor forget the connection that waits.
Task<> out_of_descriptors(World& world, int& warnings) {
  Executor& home = *world.loops[0];
  auto listener = *world.network.listen({"127.0.0.1", 0});
  UniqueFd raw(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto addresses = *resolve(listener->local(), Resolve::kNumeric, false);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none{.rlim_cur = 1, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  EXPECT_EQ(::connect(raw.get(), addresses[0].get(), addresses[0].length), 0);
  CancelSource source;
  home.schedule(home.clock().now() + milliseconds(20), [&source] { source.request(); });
  auto refused = co_await listener->accept(home, source.token());
  EXPECT_EQ(refused.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(warnings, 1);
  setrlimit(RLIMIT_NOFILE, &before);
  auto accepted = co_await listener->accept(home, {});
  EXPECT_TRUE(accepted);
}

TEST(Sockets, OutOfDescriptorsAcceptingPausesAndGoesOn) {
  int warnings = 0;
  Host host({.loops = 1, .log_sink = [&](std::string_view) { ++warnings; }});
  run_task(host, out_of_descriptors(host.world(), warnings));
}

// ---- options

// An option of the sockets of this process that have `port` here; by whether they listen.
std::map<bool, int> option_of_sockets_at(uint16_t port, int option) {
  std::map<bool, int> found;
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in address{};
    socklen_t length = sizeof(address);
    bool here = getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 && ntohs(address.sin_port) == port;
    if (!here) continue;
    int listens = 0;
    int value = 0;
    length = sizeof(listens);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
    length = sizeof(value);
    getsockopt(fd, SOL_SOCKET, option, &value, &length);
    found[listens != 0] = value;
  }
  return found;
}

Task<int> accepted_sockets_have_buffers_of(World& world, runtime::ListenOptions options, int option) {
  auto listener = *world.network.listen({"127.0.0.1", 0}, options);
  auto client = co_await world.network.connect(*world.loops[0], listener->local(), kLong, {});
  auto server = co_await listener->accept(*world.loops[0], {});
  CHECK(client && server);
  co_return option_of_sockets_at(listener->local().port, option)[false];
}

TEST(Sockets, BuffersOfAcceptedConnectionsAreAsAsked) {
  Host host({.loops = 1});
  auto size = [&host](runtime::ListenOptions options, int option) {
    return run_task(host, accepted_sockets_have_buffers_of(host.world(), options, option));
  };
  // Linux doubles what is asked for: half is for its own books.
  EXPECT_EQ(size({.send_buffer_bytes = 20000}, SO_SNDBUF), 40000);
  EXPECT_EQ(size({.receive_buffer_bytes = 30000}, SO_RCVBUF), 60000);
  int default_send = size({}, SO_SNDBUF);
  EXPECT_EQ(size({.send_buffer_bytes = -1, .receive_buffer_bytes = 30000}, SO_SNDBUF), default_send);
}

TEST(Sockets, AddressesAreShownAsPeopleWriteThem) {
  EXPECT_EQ((Endpoint{"::1", 9092}).to_string(), "[::1]:9092");
  EXPECT_EQ((Endpoint{"kafka", 9092}).to_string(), "kafka:9092");
  SocketAddress mapped;
  auto& in = reinterpret_cast<sockaddr_in6&>(mapped.storage);
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(1);
  inet_pton(AF_INET6, "::ffff:10.1.2.3", &in.sin6_addr);
  EXPECT_EQ(to_endpoint(mapped), (Endpoint{"10.1.2.3", 1}));
}

}  // namespace
}  // namespace barnabas::host
