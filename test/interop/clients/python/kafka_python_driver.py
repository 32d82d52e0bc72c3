"""kafka-python, pure Python: the newest, and 2.0.2 as Debian 12 has it."""

import time

import shell
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition, __version__
from kafka.admin import NewTopic
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

OLD = __version__.startswith("2.0.")


def create(command):
    admin = KafkaAdminClient(bootstrap_servers=command["bootstrap"])
    topic = NewTopic(command["topic"], command["partitions"], 1, topic_configs=command.get("configs", {}))
    admin.create_topics([topic])
    admin.close()


def produce(command):
    settings = {} if OLD else {"enable_idempotence": command["idempotent"], "delivery_timeout_ms": 120000}
    producer = KafkaProducer(
        bootstrap_servers=command["bootstrap"], acks="all", linger_ms=20, retries=1000, retry_backoff_ms=200,
        reconnect_backoff_max_ms=500, max_in_flight_requests_per_connection=1 if OLD else 5,
        compression_type=None if command["codec"] == "none" else command["codec"], **settings)
    futures = []
    for index, (partition, key, value, headers) in enumerate(command["records"]):
        future = producer.send(command["topic"], value=shell.data(value), key=shell.data(key), partition=partition,
                               headers=shell.headers_of(headers))
        future.add_callback(lambda sent, index=index: shell.ack(index, sent.partition, sent.offset))
        futures.append(future)
        if command["pace_ms"]:
            time.sleep(command["pace_ms"] / 1000)
    for future in futures:
        future.get(120)
    producer.close()


def consumer_for(command, **more):
    return KafkaConsumer(
        bootstrap_servers=command["bootstrap"], group_id=command.get("group"), auto_offset_reset="earliest",
        enable_auto_commit=False, heartbeat_interval_ms=500, session_timeout_ms=10000, reconnect_backoff_max_ms=500,
        fetch_max_wait_ms=100, max_poll_records=50, **more)


def committed(offset):
    return OffsetAndMetadata(offset, "") if OLD else OffsetAndMetadata(offset, "", -1)


def show(message):
    shell.record(message.partition, message.offset, message.key, message.value, message.headers)


def consume(command):
    consumer = consumer_for(command)
    topic = command["topic"]
    if command.get("group"):
        consumer.subscribe([topic])
    else:
        consumer.assign([TopicPartition(topic, p) for p in command["partitions"]])
        consumer.seek_to_beginning()
    seen, positions = 0, {}
    while seen < command["expect"]:
        for messages in consumer.poll(timeout_ms=500, max_records=command["expect"] - seen).values():
            for message in messages:
                show(message)
                seen += 1
                positions[TopicPartition(topic, message.partition)] = committed(message.offset + 1)
    if command.get("group"):
        consumer.commit(positions)
    consumer.close(autocommit=False)


def member(command):
    consumer = consumer_for(command)

    class Listener(ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked):
            pass  # what was delivered is committed before each poll

        def on_partitions_assigned(self, assigned):
            shell.assigned(p.partition for p in consumer.assignment())

    def commit():
        try:
            consumer.commit()
        except (KafkaError, AssertionError):
            pass  # the broker is away or the group has moved on: what is read twice is not lost

    consumer.subscribe([command["topic"]], listener=Listener())
    while not shell.asked_to_leave(command):
        got = consumer.poll(timeout_ms=100)
        for messages in got.values():
            for message in messages:
                show(message)
        if got:
            commit()
    consumer.close(autocommit=False)


shell.serve(create=create, produce=produce, consume=consume, member=member)
