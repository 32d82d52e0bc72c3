"""Every client goes on through a clean restart of the broker and through a kill -9.

The clients go through it together, some at a time, since a restart costs the same for one as for many; what each of them
made of it is a test of its own.
"""

import pytest
from conftest import KINDS, Company, reader_for

from rig import ask, records
from rig.cache import Unavailable
from rig.clients import BY_NAME, CLIENTS
from rig.driver import DriverFailed

pytestmark = pytest.mark.slow

AT_ONCE = 5
COUNT = 240
PACE_MS = 15


class Traveller:
    """One client on the way: a producer that takes its time and a group member that reads what it writes."""

    def __init__(self, client, company, node, place):
        self.client, self.node = client, node
        self.topic = f"journey-{client.name}"
        self.leave = place / f"leave-{client.name}"
        self.failed = None
        ask.create_topic(node, self.topic, 3)
        ask.coordinator_ready(node, self.topic)
        self.written = records.make(self.topic, COUNT)
        reader = client.name if client.reads else reader_for(client.name)
        self.member = company.begin(reader, "member", bootstrap=node.bootstrap, topic=self.topic, group=self.topic,
                                    until=str(self.leave))
        self.company = company

    def attempt(self, step):
        """A client that fails ends its own journey, not that of the others."""
        if self.failed is None:
            try:
                step()
            except (DriverFailed, AssertionError) as why:
                self.failed = why

    def settle(self):
        self.attempt(lambda: self.member.until(lambda m: m.assignments and m.assignments[-1] == [0, 1, 2]))

    def set_out(self):
        self.producer = self.company.begin(
            self.client.name, "produce", bootstrap=self.node.bootstrap, topic=self.topic, codec="gzip",
            idempotent=self.client.idempotent, pace_ms=PACE_MS, records=self.written)

    def reach(self, count):
        self.attempt(lambda: self.producer.until(lambda p: len(p.acks) >= count, 90))

    def arrive(self):
        self.attempt(lambda: self.producer.finish(120))
        self.attempt(lambda: self.member.until(lambda m: len({tuple(r[:2]) for r in m.records}) >= COUNT, 60))
        self.leave.touch()
        self.attempt(lambda: self.member.finish(30))


@pytest.fixture(scope="session")
def journeys(workplace):
    return {}


def journey_of(client_name, target, workplace, journeys, only):
    """The journey of this client; it takes those that come next in the list along."""
    key = target, client_name
    if key in journeys:
        return journeys[key]
    names = [c.name for c in CLIENTS if c.name in only]
    at = names.index(client_name)
    party, place = [], workplace / f"journey-{target}-{client_name}"
    node, company = KINDS[target](place), Company()
    try:
        node.format()
        node.start()
        for name in names[at:at + AT_ONCE]:
            try:
                party.append(Traveller(BY_NAME[name], company, node, place))
            except Unavailable as why:
                journeys[target, name] = why
        for step in (Traveller.settle, Traveller.set_out, lambda t: t.reach(COUNT // 4)):
            for traveller in party:
                step(traveller)
        node.restart("stop")
        for traveller in party:
            traveller.reach(COUNT * 2 // 3)
        node.restart("kill")
        for traveller in party:
            traveller.arrive()
        for traveller in party:
            journeys[target, traveller.client.name] = traveller
            read_back(traveller, company)
    finally:
        company.dismiss()
        node.close()
    return journeys[key]


def read_back(traveller, company):
    """What is stored in the end, by another client."""
    def read():
        count = sum(ask.offset(traveller.node, traveller.topic, p) for p in range(3))
        traveller.stored = company.begin(
            reader_for(traveller.client.name, "gzip"), "consume", bootstrap=traveller.node.bootstrap, topic=traveller.topic,
            partitions=[0, 1, 2], group=None, expect=count).finish().records

    traveller.attempt(read)


def test_survives_a_stop_and_a_kill_of_the_broker(target, client_name, workplace, journeys, request):
    chosen = {item.callspec.params["client_name"] for item in request.session.items
              if item.originalname == request.node.originalname}
    traveller = journey_of(client_name, target, workplace, journeys, chosen)
    if isinstance(traveller, Unavailable):
        pytest.skip(f"{client_name}: {traveller}")
    if traveller.failed is not None:
        raise traveller.failed
    if traveller.client.idempotent:
        records.check_same(traveller.written, traveller.stored)
    else:
        records.check_at_least_once(traveller.written, traveller.stored)
    records.check_at_least_once(traveller.written, traveller.member.records)
