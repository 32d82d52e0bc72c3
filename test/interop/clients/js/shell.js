// The loop that both JavaScript drivers share: a command as a JSON line in, events as JSON lines out.
'use strict';

const fs = require('fs');
const readline = require('readline');

// The packages live in the cache, not beside the drivers.
exports.library = (name) => require(`${process.env.INTEROP_MODULES}/${name}`);

const emit = (event) => fs.writeSync(1, JSON.stringify(event) + '\n');
const text = (data) => (data === null || data === undefined ? null : data.toString());

exports.ack = (index, partition, offset) => emit({ ack: [index, partition, Number(offset)] });
exports.assigned = (partitions) => emit({ assigned: partitions });
exports.record = (partition, offset, key, value, headers) =>
  emit({ record: [partition, Number(offset), text(key), text(value), headers.map(([name, data]) => [name, text(data)])] });
exports.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
exports.askedToLeave = (command) => fs.existsSync(command.until);

exports.serve = async (commands) => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    try {
      await commands[command.do](command);
      emit({ done: true });
    } catch (error) {
      console.error(error);
      emit({ error: String(error) });
    }
  }
  process.exit(0);
};
