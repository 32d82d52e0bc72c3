"""aiokafka: pure Python on asyncio."""

import asyncio

import shell
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError


async def create(command):
    admin = AIOKafkaAdminClient(bootstrap_servers=command["bootstrap"])
    await admin.start()
    try:
        topic = NewTopic(command["topic"], command["partitions"], 1, topic_configs=command.get("configs", {}))
        answer = await admin.create_topics([topic])
        for row in answer.topic_errors:
            if row[1] != 0:
                raise RuntimeError(str(row))
    finally:
        await admin.close()


async def produce(command):
    producer = AIOKafkaProducer(
        bootstrap_servers=command["bootstrap"], linger_ms=20, enable_idempotence=command["idempotent"], acks="all",
        request_timeout_ms=120000, compression_type=None if command["codec"] == "none" else command["codec"])
    await producer.start()
    try:
        async def follow(index, future):
            sent = await future
            shell.ack(index, sent.partition, sent.offset)

        pending = []
        for index, (partition, key, value, headers) in enumerate(command["records"]):
            future = await producer.send(command["topic"], shell.data(value), shell.data(key), partition,
                                         headers=shell.headers_of(headers))
            pending.append(asyncio.create_task(follow(index, future)))
            if command["pace_ms"]:
                await asyncio.sleep(command["pace_ms"] / 1000)
        await asyncio.gather(*pending)
    finally:
        await producer.stop()


def consumer_for(command):
    return AIOKafkaConsumer(
        bootstrap_servers=command["bootstrap"], group_id=command.get("group"), auto_offset_reset="earliest",
        enable_auto_commit=False, heartbeat_interval_ms=500, session_timeout_ms=10000, fetch_max_wait_ms=100)


def show(message):
    shell.record(message.partition, message.offset, message.key, message.value, message.headers)


async def consume(command):
    consumer = consumer_for(command)
    topic = command["topic"]
    if command.get("group"):
        consumer.subscribe([topic])
    else:
        consumer.assign([TopicPartition(topic, p) for p in command["partitions"]])
    await consumer.start()
    try:
        if not command.get("group"):
            await consumer.seek_to_beginning()
        seen, positions = 0, {}
        while seen < command["expect"]:
            for messages in (await consumer.getmany(timeout_ms=500, max_records=command["expect"] - seen)).values():
                for message in messages:
                    show(message)
                    seen += 1
                    positions[TopicPartition(topic, message.partition)] = message.offset + 1
        if command.get("group"):
            await consumer.commit(positions)
    finally:
        await consumer.stop()


async def member(command):
    consumer = consumer_for(command)

    async def commit():
        try:
            await consumer.commit()
        except KafkaError:
            pass  # the broker is away or the group has moved on: what is read twice is not lost

    class Listener(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked):
            pass  # what was delivered is committed before each getmany

        async def on_partitions_assigned(self, assigned):
            shell.assigned(p.partition for p in assigned)

    await consumer.start()
    try:
        consumer.subscribe([command["topic"]], listener=Listener())
        while not shell.asked_to_leave(command):
            got = await consumer.getmany(timeout_ms=100)
            for messages in got.values():
                for message in messages:
                    show(message)
            if got:
                await commit()
    finally:
        await consumer.stop()


shell.serve(**{name: lambda command, run=run: asyncio.run(run(command))
               for name, run in {"create": create, "produce": produce, "consume": consume, "member": member}.items()})
