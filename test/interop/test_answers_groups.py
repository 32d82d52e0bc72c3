"""What the coordinator of classic groups answers."""

import random
import re
import uuid

import pytest

from rig import ask, wire
from rig.wire import Writer

UNKNOWN_MEMBER, ILLEGAL_GENERATION, INCONSISTENT_PROTOCOL = 25, 22, 23


@pytest.fixture(scope="module")
def loaded():
    return set()


@pytest.fixture
def connection(node, loaded):
    if node.kind not in loaded:
        for group in "abcdefghijkl":  # whatever partition a group falls into, its coordinator is loaded
            ask.coordinator_ready(node, group)
        loaded.add(node.kind)
    with node.connect(timeout=20) as connection:
        yield connection


@pytest.fixture(scope="module")
def made():
    return {}


@pytest.fixture
def topic(node, made):
    if node.kind not in made:
        made[node.kind] = f"groups-{random.randint(0, 1 << 30)}"
        ask.create_topic(node, made[node.kind], 2)
    return made[node.kind]


def fresh():
    return f"group-{random.randint(0, 1 << 40)}"


class Joined:
    def __init__(self, connection, group, member="", version=9, session=10000, rebalance=10000, instance=None, kind="consumer",
                 protocols=(("range", b"m"),)):
        body = Writer().cstring(group).i32(session).i32(rebalance).cstring(member).cstring(instance).cstring(kind)
        body.carray(protocols, lambda w, p: w.cstring(p[0]).cbytes(p[1]).tags())
        if version >= 8:
            body.cstring(None)
        answer = connection.call(wire.JOIN_GROUP, version, body.tags())
        assert answer.i32() == 0
        self.error, self.generation = answer.i16(), answer.i32()
        self.kind = answer.cstring() if version >= 7 else None
        self.protocol, self.leader = answer.cstring(), answer.cstring()
        if version >= 9:
            answer.boolean()
        self.member = answer.cstring()
        self.members = answer.carray(lambda r: (r.cstring(), r.cstring(), r.cbytes(), r.tags())[:3])
        answer.tags(), answer.finish()


def joined(connection, group, **more) -> Joined:
    """A member of its own group: the id is asked for first, as clients do."""
    first = Joined(connection, group, **more)
    assert first.error == 79
    second = Joined(connection, group, first.member, **more)
    assert second.error == 0
    return second


def sync(connection, group, generation, member, assignments=(), kind="consumer", protocol="range"):
    """(error, assignment)"""
    body = Writer().cstring(group).i32(generation).cstring(member).cstring(None).cstring(kind).cstring(protocol)
    body.carray(list(assignments), lambda w, a: w.cstring(a[0]).cbytes(a[1]).tags())
    answer = connection.call(wire.SYNC_GROUP, 5, body.tags())
    answer.i32()
    error = answer.i16()
    answer.cstring(), answer.cstring()
    return error, answer.cbytes()


def heartbeat(connection, group, generation, member):
    answer = connection.call(wire.HEARTBEAT, 4, Writer().cstring(group).i32(generation).cstring(member).cstring(None).tags())
    answer.i32()
    return answer.i16()


def leave(connection, group, member, instance=None):
    """(error, [error of each member])"""
    body = Writer().cstring(group).carray([member], lambda w, m: w.cstring(m).cstring(instance).cstring("bye").tags()).tags()
    answer = connection.call(wire.LEAVE_GROUP, 5, body)
    answer.i32()
    return answer.i16(), [row[2] for row in answer.carray(lambda r: (r.cstring(), r.cstring(), r.i16(), r.tags()))]


# FindCoordinator

def test_find_coordinator_in_the_old_form(node, connection):
    for version in range(0, 4):
        compact = version >= 3
        body = Writer().cstring("g") if compact else Writer().string("g")
        if version >= 1:
            body.i8(0)
        answer = connection.call(wire.FIND_COORDINATOR, version, body.tags() if compact else body)
        if version >= 1:
            answer.i32()
        assert answer.i16() == 0
        if version >= 1:
            assert (answer.cstring() if compact else answer.string()) == "NONE"
        assert (answer.i32(), answer.cstring() if compact else answer.string(), answer.i32()) == (1, "127.0.0.1", node.port)


@pytest.mark.parametrize("version", [4, 5, 6])
def test_find_coordinators(node, connection, version):
    answer = connection.call(wire.FIND_COORDINATOR, version, Writer().i8(0).carray(["a", ""], Writer.cstring).tags())
    answer.i32()
    rows = answer.carray(lambda r: (r.cstring(), r.i32(), r.cstring(), r.i32(), r.i16(), r.cstring(), r.tags())[:6])
    assert rows == [(key, 1, "127.0.0.1", node.port, 0, "") for key in ("a", "")]


def test_find_coordinator_of_an_unknown_type(connection):
    answer = connection.call(wire.FIND_COORDINATOR, 4, Writer().i8(7).carray(["a"], Writer.cstring).tags())
    answer.i32()
    assert answer.carray(lambda r: (r.cstring(), r.i32(), r.cstring(), r.i32(), r.i16(), r.cstring(), r.tags())[4]) == [42]


# JoinGroup

def test_a_member_is_given_an_id_first(connection):
    answer = Joined(connection, fresh())
    assert (answer.error, answer.kind, answer.generation) == (79, None, -1)
    assert re.fullmatch(r"interop-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.member)


def test_a_lone_member_leads(connection):
    group = fresh()
    me = joined(connection, group)
    assert (me.generation, me.kind, me.protocol, me.leader) == (1, "consumer", "range", me.member)
    assert me.members == [(me.member, None, b"m")]


def test_join_3_needs_no_id(connection):
    body = Writer().string(fresh()).i32(10000).i32(10000).string("").string("consumer")
    body.array([("range", b"m")], lambda w, p: w.string(p[0]).bytes(p[1]))
    answer = connection.call(wire.JOIN_GROUP, 3, body)
    assert (answer.i32(), answer.i16(), answer.i32()) == (0, 0, 1)


@pytest.mark.parametrize("error, more", [
    (UNKNOWN_MEMBER, {"member": "nobody"}), (26, {"session": 5999}), (26, {"session": 1800001}),
    (INCONSISTENT_PROTOCOL, {"protocols": ()}), (INCONSISTENT_PROTOCOL, {"kind": ""}), (79, {"session": 6000}), (79, {"session": 1800000}),
    (79, {"rebalance": -1}),
], ids=str)
def test_join_limits(connection, error, more):
    assert Joined(connection, fresh(), **more).error == error


def test_join_with_an_empty_group_id(connection):
    assert Joined(connection, "").error == 24


@pytest.mark.parametrize("more", [{"kind": "connect"}, {"protocols": (("sticky", b""),)}], ids=str)
def test_join_must_have_a_protocol_in_common(connection, more):
    group = fresh()
    joined(connection, group)
    assert Joined(connection, group, "", **more).error == INCONSISTENT_PROTOCOL
    assert Joined(connection, group, "nobody").error == UNKNOWN_MEMBER


def test_a_static_member_comes_back_under_a_new_id(connection):
    group = fresh()
    first = Joined(connection, group, instance="inst")
    assert first.error == 0 and first.member.startswith("inst-")
    assert sync(connection, group, 1, first.member, [(first.member, b"x")]) == (0, b"x")
    again = Joined(connection, group, instance="inst")
    assert again.error == 0 and again.member != first.member
    assert heartbeat(connection, group, again.generation, first.member) in (UNKNOWN_MEMBER, 82)


# SyncGroup, Heartbeat, LeaveGroup

def test_the_life_of_a_member(connection):
    group = fresh()
    me = joined(connection, group)
    assert heartbeat(connection, group, 1, me.member) == 0, "before the first sync"
    assert sync(connection, group, 1, me.member, [(me.member, b"mine")]) == (0, b"mine")
    assert sync(connection, group, 1, me.member) == (0, b"mine"), "asked again"
    assert sync(connection, group, 2, me.member)[0] == ILLEGAL_GENERATION
    assert sync(connection, group, 1, "nobody")[0] == UNKNOWN_MEMBER
    assert sync(connection, group, 1, me.member, protocol="sticky")[0] == INCONSISTENT_PROTOCOL
    assert heartbeat(connection, group, 1, me.member) == 0
    assert heartbeat(connection, group, 2, me.member) == ILLEGAL_GENERATION
    assert heartbeat(connection, group, 1, "nobody") == UNKNOWN_MEMBER
    assert leave(connection, group, "nobody") == (0, [UNKNOWN_MEMBER])
    assert leave(connection, group, me.member) == (0, [0])
    assert heartbeat(connection, group, 1, me.member) == UNKNOWN_MEMBER


def test_unknown_groups(connection):
    group = fresh()
    assert heartbeat(connection, group, 1, "nobody") == UNKNOWN_MEMBER
    assert heartbeat(connection, "", 1, "nobody") == 24
    assert leave(connection, group, "nobody") == (0, [UNKNOWN_MEMBER])
    answer = connection.call(wire.LEAVE_GROUP, 2, Writer().string(group).string("nobody"))
    assert (answer.i32(), answer.i16()) == (0, UNKNOWN_MEMBER)


def test_the_second_member_makes_the_first_rejoin(node, connection):
    group = fresh()
    first = joined(connection, group)
    sync(connection, group, 1, first.member, [(first.member, b"all")])
    with node.connect(timeout=20) as other:
        second_id = Joined(other, group).member
        body = Writer().cstring(group).i32(10000).i32(10000).cstring(second_id).cstring(None).cstring("consumer")
        body.carray([("range", b"m2")], lambda w, p: w.cstring(p[0]).cbytes(p[1]).tags()).cstring(None).tags()
        other.post(wire.JOIN_GROUP, 9, body)  # answered when the first has joined again
        ask.wait_for(lambda: heartbeat(connection, group, 1, first.member) == 27, "the first is told to join again")
        again = Joined(connection, group, first.member)
        assert (again.error, again.generation, again.leader) == (0, 2, first.member)
        assert sorted(m[0] for m in again.members) == sorted([first.member, second_id])
        answer = other.answer(wire.JOIN_GROUP, 9)
        assert (answer.i32(), answer.i16(), answer.i32()) == (0, 0, 2)
        assert sync(connection, group, 2, first.member, [(first.member, b"1"), (second_id, b"2")]) == (0, b"1")
        assert sync(other, group, 2, second_id) == (0, b"2")
        assert leave(other, group, second_id) == (0, [0])
        assert heartbeat(connection, group, 2, first.member) == 27


# OffsetCommit, OffsetFetch

def commit(connection, group, topic, offset, version=9, generation=-1, member="", partition=0, metadata=""):
    body = Writer().cstring(group).i32(generation).cstring(member).cstring(None)

    def put(w, t):
        w.uuid(t) if version >= 10 else w.cstring(t)
        w.carray([partition], lambda w2, p: w2.i32(p).i64(offset).i32(-1).cstring(metadata).tags()).tags()

    answer = connection.call(wire.OFFSET_COMMIT, version, body.carray([topic], put).tags())
    answer.i32()
    rows = answer.carray(lambda r: (r.uuid() if version >= 10 else r.cstring(), r.carray(lambda q: (q.i32(), q.i16(), q.tags())), r.tags()))
    return rows[0][1][0][1]


def fetch_offsets(connection, group, topics, version=9):
    """(error of the group, {(topic, partition): (offset, metadata, error)}); topics: {name: partitions} or None for all"""
    def put_topic(w, t):
        w.uuid(t[0]) if version >= 10 else w.cstring(t[0])
        w.carray(t[1], Writer.i32).tags()

    def put_group(w, g):
        w.cstring(g)
        if version >= 9:
            w.cstring(None).i32(-1)
        w.carray(None if topics is None else list(topics.items()), put_topic).tags()

    answer = connection.call(wire.OFFSET_FETCH, version, Writer().carray([group], put_group).boolean(False).tags())
    answer.i32()

    def partition(r):
        row = r.i32(), r.i64(), r.i32(), r.cstring(), r.i16()
        r.tags()
        return row

    def topic(r):
        return r.uuid() if version >= 10 else r.cstring(), r.carray(partition), r.tags()

    rows = answer.carray(lambda r: (r.cstring(), r.carray(topic), r.i16(), r.tags()))
    answer.tags(), answer.finish()
    _, found, error, _ = rows[0]
    return error, {(t, p[0]): (p[1], p[3], p[4]) for t, partitions, _ in found for p in partitions}


@pytest.mark.parametrize("group", ["simple", ""])
def test_offsets_without_a_group(connection, topic, group):
    group = group and fresh()
    for offset in (5, -1, -5, 10**12, 7):
        assert commit(connection, group, topic, offset) == 0
    assert fetch_offsets(connection, group, {topic: [0, 1]}) == (0, {(topic, 0): (7, "", 0), (topic, 1): (-1, "", 0)})
    assert fetch_offsets(connection, group, None)[1][(topic, 0)] == (7, "", 0)
    assert fetch_offsets(connection, group, {})[1] == {}


def test_offset_metadata(connection, topic):
    group = fresh()
    assert commit(connection, group, topic, 1, metadata="m" * 4096) == 0
    assert commit(connection, group, topic, 2, metadata="m" * 4097) == 12
    assert fetch_offsets(connection, group, {topic: [0]})[1] == {(topic, 0): (1, "m" * 4096, 0)}
    assert commit(connection, group, topic, 3, metadata=None) == 0
    assert fetch_offsets(connection, group, {topic: [0]})[1] == {(topic, 0): (3, "", 0)}


def test_commit_refusals(connection, topic):
    group = fresh()
    assert commit(connection, group, "nowhere", 1) == 3
    assert commit(connection, group, topic, 1, partition=9) == 3
    assert commit(connection, group, uuid.UUID(int=9), 1, version=10) == 100
    assert commit(connection, fresh(), topic, 1, generation=3, member="m") == 69
    assert commit(connection, fresh(), topic, 1, member="m") == 0
    assert commit(connection, group, topic, 1) == 0
    assert commit(connection, group, topic, 1, generation=3, member="m") == UNKNOWN_MEMBER


def test_commits_of_a_group_with_members(connection, topic):
    group = fresh()
    me = joined(connection, group)
    sync(connection, group, 1, me.member, [(me.member, b"")])
    assert commit(connection, group, topic, 1) == UNKNOWN_MEMBER
    assert commit(connection, group, topic, 1, generation=2, member=me.member) == ILLEGAL_GENERATION
    assert commit(connection, group, topic, 1, generation=1, member=me.member) == 0


def test_offsets_of_what_is_unknown(connection, topic):
    assert fetch_offsets(connection, fresh(), {topic: [0], "nowhere": [3]}) == (0, {(topic, 0): (-1, "", 0), ("nowhere", 3): (-1, "", 0)})
    unknown = uuid.UUID(int=9)
    assert fetch_offsets(connection, fresh(), {unknown: [0]}, version=10)[1] == {(unknown, 0): (-1, "", 100)}


@pytest.mark.parametrize("version", range(1, 8))
def test_the_old_versions_of_offset_fetch(connection, topic, version):
    group = fresh()
    commit(connection, group, topic, 42, metadata="note")
    compact = version >= 6
    if compact:
        body = Writer().cstring(group).carray([topic], lambda w, t: w.cstring(t).carray([0, 1], Writer.i32).tags())
    else:
        body = Writer().string(group).array([topic], lambda w, t: w.string(t).array([0, 1], Writer.i32))
    if version >= 7:
        body.boolean(False)
    answer = connection.call(wire.OFFSET_FETCH, version, body.tags() if compact else body)
    if version >= 3:
        answer.i32()

    def partition(r):
        row = r.i32(), r.i64(), r.i32() if version >= 5 else -1, r.cstring() if compact else r.string(), r.i16()
        if compact:
            r.tags()
        return row[0], row[1], row[3], row[4]

    if compact:
        rows = answer.carray(lambda r: (r.cstring(), r.carray(partition), r.tags()))
    else:
        rows = answer.array(lambda r: (r.string(), r.array(partition)))
    assert rows[0][1] == [(0, 42, "note", 0), (1, -1, "", 0)]
    if version >= 2:
        assert answer.i16() == 0


# OffsetDelete, DeleteGroups, DescribeGroups, ListGroups

def delete_offsets(connection, group, topic):
    """(error, [error of each partition])"""
    body = Writer().string(group).array([topic], lambda w, t: w.string(t).array([0], Writer.i32))
    answer = connection.call(wire.OFFSET_DELETE, 0, body)
    error = answer.i16()
    answer.i32()
    return error, [e for _, rows in answer.array(lambda r: (r.string(), r.array(lambda q: (q.i32(), q.i16())))) for _, e in rows]


def subscription(topic):
    return bytes(Writer().i16(0).array([topic], Writer.string).bytes(None).out)


def test_offset_delete(connection, topic):
    group = fresh()
    assert delete_offsets(connection, group, topic)[0] == 69
    commit(connection, group, topic, 5)
    assert delete_offsets(connection, group, topic) == (0, [0])
    member = joined(connection, fresh(), protocols=(("range", subscription(topic)),))
    assert member.error == 0


def test_offset_delete_of_a_subscribed_topic(connection, topic):
    group = fresh()
    me = joined(connection, group, protocols=(("range", subscription(topic)),))
    sync(connection, group, 1, me.member, [(me.member, b"")])
    commit(connection, group, topic, 5, generation=1, member=me.member)
    assert delete_offsets(connection, group, topic) == (0, [86])


def delete_group(connection, group):
    answer = connection.call(wire.DELETE_GROUPS, 2, Writer().carray([group], Writer.cstring).tags())
    answer.i32()
    return answer.carray(lambda r: (r.cstring(), r.i16(), r.tags()))[0][1]


def test_delete_groups(connection, topic):
    group = fresh()
    assert delete_group(connection, group) == 69
    commit(connection, group, topic, 5)
    assert delete_group(connection, group) == 0
    assert fetch_offsets(connection, group, {topic: [0]})[1] == {(topic, 0): (-1, "", 0)}
    me = joined(connection, group)
    assert delete_group(connection, group) == 68
    leave(connection, group, me.member)
    assert delete_group(connection, group) == 0


def describe_group(connection, group, version):
    answer = connection.call(wire.DESCRIBE_GROUPS, version, Writer().carray([group], Writer.cstring).boolean(False).tags())
    answer.i32()

    def member(r):
        row = r.cstring(), r.cstring(), r.cstring(), r.cstring(), r.cbytes(), r.cbytes()
        r.tags()
        return row

    def read(r):
        error = r.i16()
        message = r.cstring() if version >= 6 else None
        row = error, message, r.cstring(), r.cstring(), r.cstring(), r.cstring(), r.carray(member)
        r.i32(), r.tags()
        return row

    return answer.carray(read)[0]


def test_describe_groups(connection):
    group = fresh()
    assert describe_group(connection, group, 5)[:4] == (0, None, group, "Dead")
    error, message, *_ = describe_group(connection, group, 6)
    assert error == 69 and message
    me = joined(connection, group)
    assert describe_group(connection, group, 5)[3] == "CompletingRebalance"
    sync(connection, group, 1, me.member, [(me.member, b"mine")])
    _, _, _, state, kind, protocol, members = describe_group(connection, group, 6)
    assert (state, kind, protocol) == ("Stable", "consumer", "range")
    assert members == [(me.member, None, "interop", "/127.0.0.1", b"m", b"mine")]


def test_list_groups(connection):
    group = fresh()
    me = joined(connection, group)
    sync(connection, group, 1, me.member, [(me.member, b"mine")])

    def listed(states, types):
        answer = connection.call(wire.LIST_GROUPS, 5, Writer().carray(states, Writer.cstring).carray(types, Writer.cstring).tags())
        assert (answer.i32(), answer.i16()) == (0, 0)
        return answer.carray(lambda r: (r.cstring(), r.cstring(), r.cstring(), r.cstring(), r.tags())[:4])

    assert (group, "consumer", "Stable", "classic") in listed([], [])
    assert (group, "consumer", "Stable", "classic") in listed(["stable"], ["Classic"])
    assert group not in [row[0] for row in listed(["Empty"], [])]
    assert group not in [row[0] for row in listed([], ["consumer"])]
