// kafkajs 2.2.4: pure JavaScript. It has gzip only, and no way to read a partition without a group.
'use strict';

const crypto = require('crypto');
const shell = require('./shell');
const { Kafka, CompressionTypes, logLevel } = shell.library('kafkajs');

const client = (command) =>
  new Kafka({
    brokers: [command.bootstrap],
    logLevel: logLevel.WARN,
    retry: { retries: 300, initialRetryTime: 100, maxRetryTime: 500 },
  });

async function create(command) {
  const admin = client(command).admin();
  await admin.connect();
  const configEntries = Object.entries(command.configs || {}).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [{ topic: command.topic, numPartitions: command.partitions, configEntries }] });
  await admin.disconnect();
}

// Headers are an object here; a name that repeats has an array of values.
function headersIn(pairs) {
  const headers = {};
  for (const [name, value] of pairs) {
    headers[name] = name in headers ? [].concat(headers[name], value) : value;
  }
  return headers;
}

const headersOut = (headers) =>
  Object.entries(headers || {}).flatMap(([name, value]) => [].concat(value).map((one) => [name, one]));

async function produce(command) {
  const producer = client(command).producer({ idempotent: command.idempotent, maxInFlightRequests: 1 });
  await producer.connect();
  const size = command.pace_ms ? 1 : 40;
  for (let at = 0; at < command.records.length; at += size) {
    const rows = command.records.slice(at, at + size);
    const sent = await producer.send({
      topic: command.topic,
      acks: -1,
      compression: command.codec === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
      messages: rows.map(([partition, key, value, headers]) => ({ partition, key, value, headers: headersIn(headers) })),
    });
    const next = new Map(sent.map((one) => [one.partition, Number(one.baseOffset)]));
    rows.forEach(([partition], i) => {
      shell.ack(at + i, partition, next.get(partition));
      next.set(partition, next.get(partition) + 1);
    });
    if (command.pace_ms) await shell.sleep(command.pace_ms);
  }
  await producer.disconnect();
}

const consumerFor = (command, groupId) =>
  client(command).consumer({ groupId, heartbeatInterval: 500, sessionTimeout: 10000, maxWaitTimeInMs: 100 });

const show = (partition, message) =>
  shell.record(partition, message.offset, message.key, message.value, headersOut(message.headers));

async function consume(command) {
  const consumer = consumerFor(command, command.group || `alone-${crypto.randomUUID()}`);
  await consumer.connect();
  await consumer.subscribe({ topics: [command.topic], fromBeginning: true });
  const positions = new Map();
  let seen = 0;
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error));
    consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        if (seen === command.expect) return;
        show(partition, message);
        positions.set(partition, Number(message.offset) + 1);
        if (++seen === command.expect) resolve();
      },
    }).catch(reject);
  });
  if (command.group) {
    await consumer.commitOffsets(
      [...positions].map(([partition, offset]) => ({ topic: command.topic, partition, offset: String(offset) })));
  }
  await consumer.disconnect();
}

async function member(command) {
  const consumer = consumerFor(command, command.group);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => shell.assigned(payload.memberAssignment[command.topic] || []));
  await consumer.connect();
  await consumer.subscribe({ topics: [command.topic], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ partition, message }) => show(partition, message) });
  while (!shell.askedToLeave(command)) await shell.sleep(50);
  await consumer.disconnect();
}

shell.serve({ create, produce, consume, member });
