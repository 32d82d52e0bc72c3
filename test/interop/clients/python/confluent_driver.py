"""confluent-kafka: Python around the librdkafka that it bundles."""

import time

import shell
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


def create(command):
    admin = AdminClient({"bootstrap.servers": command["bootstrap"]})
    topic = NewTopic(command["topic"], command["partitions"], 1, config=command.get("configs", {}))
    for future in admin.create_topics([topic]).values():
        future.result(30)


def produce(command):
    producer = Producer({
        "bootstrap.servers": command["bootstrap"], "compression.type": command["codec"], "linger.ms": 20,
        "enable.idempotence": command["idempotent"], "reconnect.backoff.max.ms": 500, "retry.backoff.max.ms": 500})
    failed = []

    def reporter(index):
        def report(error, message):
            failed.append(error) if error else shell.ack(index, message.partition(), message.offset())
        return report

    for index, (partition, key, value, headers) in enumerate(command["records"]):
        producer.produce(command["topic"], shell.data(value), shell.data(key), partition, headers=shell.headers_of(headers),
                         on_delivery=reporter(index))
        producer.poll(command["pace_ms"] / 1000)
    producer.flush(120)
    if failed:
        raise KafkaException(failed[0])


def consumer_for(command):
    return Consumer({
        "bootstrap.servers": command["bootstrap"], "group.id": command.get("group") or "unused",
        "auto.offset.reset": "earliest", "enable.auto.commit": False, "heartbeat.interval.ms": 500,
        "session.timeout.ms": 10000, "reconnect.backoff.max.ms": 500, "fetch.wait.max.ms": 100,
        "partition.assignment.strategy": "range"})


def next_record(consumer, timeout):
    message = consumer.poll(timeout)
    if message is None:
        return None
    if message.error():
        if message.error().retriable() or message.error().code() in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT,
                                                                    KafkaError._RESOLVE, KafkaError.NOT_COORDINATOR):
            return None
        raise KafkaException(message.error())
    shell.record(message.partition(), message.offset(), message.key(), message.value(), message.headers())
    return message


def consume(command):
    consumer = consumer_for(command)
    if command.get("group"):
        consumer.subscribe([command["topic"]])
    else:
        consumer.assign([TopicPartition(command["topic"], p, 0) for p in command["partitions"]])
    seen, positions = 0, {}
    while seen < command["expect"]:
        message = next_record(consumer, 1)
        if message is not None:
            seen += 1
            positions[message.partition()] = message.offset() + 1
    if command.get("group"):
        consumer.commit(offsets=[TopicPartition(command["topic"], p, o) for p, o in positions.items()], asynchronous=False)
    consumer.close()


def member(command):
    consumer = consumer_for(command)
    held = set()

    def on_assign(_, partitions):
        held.update(p.partition for p in partitions)
        shell.assigned(held)

    def on_revoke(_, partitions):
        commit()
        held.difference_update(p.partition for p in partitions)

    def commit():
        try:
            consumer.commit(asynchronous=False)
        except KafkaException:
            pass  # nothing to commit, or the broker is away: what is read twice is not lost

    consumer.subscribe([command["topic"]], on_assign=on_assign, on_revoke=on_revoke)
    last_commit = time.monotonic()
    while not shell.asked_to_leave(command):
        next_record(consumer, 0.1)
        if time.monotonic() - last_commit > 1:
            consumer.commit(asynchronous=True) if held else None
            last_commit = time.monotonic()
    commit()
    consumer.close()


shell.serve(create=create, produce=produce, consume=consume, member=member)
