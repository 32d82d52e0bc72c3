// @confluentinc/kafka-javascript: node's binding of librdkafka, compiled from the source in the package.
'use strict';

const { promisify } = require('util');
const shell = require('./shell');
const Kafka = shell.library('@confluentinc/kafka-javascript');

const method = (object, name) => promisify(object[name].bind(object));

async function create(command) {
  const admin = Kafka.AdminClient.create({ 'bootstrap.servers': command.bootstrap });
  await method(admin, 'createTopic')(
    { topic: command.topic, num_partitions: command.partitions, replication_factor: 1, config: command.configs || {} });
  admin.disconnect();
}

async function produce(command) {
  const producer = new Kafka.Producer({
    'bootstrap.servers': command.bootstrap,
    'compression.codec': command.codec,
    'enable.idempotence': command.idempotent,
    'linger.ms': 20,
    'reconnect.backoff.max.ms': 500,
    'dr_cb': true,
  });
  let failed = null;
  let delivered = 0;
  producer.on('delivery-report', (error, report) => {
    delivered += 1;
    if (error) failed = failed || error;
    else shell.ack(report.opaque, report.partition, report.offset);
  });
  await method(producer, 'connect')({});
  producer.setPollInterval(10);
  for (const [index, [partition, key, value, headers]] of command.records.entries()) {
    producer.produce(command.topic, partition, value === null ? null : Buffer.from(value), key === null ? null : Buffer.from(key),
      null, index, headers.map(([name, data]) => ({ [name]: data })));
    if (command.pace_ms) await shell.sleep(command.pace_ms);
  }
  while (delivered < command.records.length) await shell.sleep(5);
  await method(producer, 'disconnect')();
  if (failed) throw failed;
}

async function consumerFor(command, onRebalance) {
  const consumer = new Kafka.KafkaConsumer({
    'bootstrap.servers': command.bootstrap,
    'group.id': command.group || 'unused',
    'enable.auto.commit': false,
    'heartbeat.interval.ms': 500,
    'session.timeout.ms': 10000,
    'reconnect.backoff.max.ms': 500,
    'fetch.wait.max.ms': 100,
    'partition.assignment.strategy': 'range',
    'rebalance_cb': onRebalance || true,
  }, { 'auto.offset.reset': 'earliest' });
  await method(consumer, 'connect')({});
  consumer.setDefaultConsumeTimeout(200);
  return consumer;
}

const show = (message) =>
  shell.record(message.partition, message.offset, message.key, message.value, (message.headers || []).flatMap(Object.entries));

async function consume(command) {
  const consumer = await consumerFor(command);
  const topic = command.topic;
  if (command.group) consumer.subscribe([topic]);
  else consumer.assign(command.partitions.map((partition) => ({ topic, partition, offset: 0 })));
  const positions = new Map();
  for (let left = command.expect; left > 0;) {
    for (const message of await method(consumer, 'consume')(Math.min(left, 100))) {
      show(message);
      left -= 1;
      positions.set(message.partition, message.offset + 1);
    }
  }
  if (command.group) consumer.commitSync([...positions].map(([partition, offset]) => ({ topic, partition, offset })));
  await method(consumer, 'disconnect')();
}

async function member(command) {
  let held = [];
  let consumer = null;
  const commit = () => {
    try {
      if (held.length > 0) consumer.commitSync();
    } catch (error) {
      console.error(error); // nothing to commit, or the broker is away: what is read twice is not lost
    }
  };
  consumer = await consumerFor(command, (event, partitions) => {
    if (event.code === Kafka.CODES.ERRORS.ERR__ASSIGN_PARTITIONS) {
      held = partitions.map((one) => one.partition);
      consumer.assign(partitions);
      shell.assigned(held);
    } else {
      commit();
      held = [];
      consumer.unassign();
    }
  });
  consumer.subscribe([command.topic]);
  while (!shell.askedToLeave(command)) {
    const messages = await method(consumer, 'consume')(100).catch((error) => {
      console.error(error);
      return [];
    });
    messages.forEach(show);
    if (messages.length > 0) commit();
  }
  await method(consumer, 'disconnect')();
}

shell.serve({ create, produce, consume, member });
