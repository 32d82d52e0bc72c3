// Apache Kafka's side of the proof (its own record classes and its own log): writes random batches, reads ours, and says
// what a leader would answer to damaged ones. Both sides print the same text; run.py compares it.
//
//   BatchProof write <seed> <count> <batches> <text>     random batches, and what is in them
//   BatchProof read <batches> <text>                     what is in these batches
//   BatchProof judge <seed> <count> <cases> <answers>    random, mostly damaged requests, and the leader's answers

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogAppendInfo;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

public class BatchProof {
    static final long NOW = 1_800_000_000_000L;
    static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};

    static final Time FROZEN = new Time() {
        public long milliseconds() { return NOW; }
        public long nanoseconds() { return 0; }
        public void sleep(long ms) { }
        public void waitObject(Object o, Supplier<Boolean> condition, long deadline) { }
    };

    static final Scheduler NEVER = new Scheduler() {
        public void startup() { }
        public void shutdown() { }
        public ScheduledFuture<?> schedule(String name, Runnable task, long delay, long period) {
            return (ScheduledFuture<?>) java.lang.reflect.Proxy.newProxyInstance(BatchProof.class.getClassLoader(),
                new Class<?>[] {ScheduledFuture.class},
                (proxy, method, a) -> method.getReturnType() == boolean.class ? Boolean.FALSE : null);
        }
        public void resizeThreadPool(int size) { }
    };

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "write" -> write(Long.parseLong(args[1]), Integer.parseInt(args[2]), args[3], args[4]);
            case "read" -> read(args[1], args[2]);
            case "judge" -> judge(Long.parseLong(args[1]), Integer.parseInt(args[2]), args[3], args[4]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    // ---- the text both sides print

    static String hex(ByteBuffer bytes) {
        if (bytes == null) return "null";
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return "x" + HexFormat.of().formatHex(copy);
    }

    static String describe(DefaultRecordBatch batch, ByteBuffer raw) {
        long base = batch.baseOffset();
        StringBuilder text = new StringBuilder("batch " + (batch.lastOffset() - base) + " " + batch.partitionLeaderEpoch()
            + " " + (raw.getShort(21) & ~7) + " " + batch.baseTimestamp() + " " + batch.maxTimestamp() + " "
            + batch.producerId() + " " + batch.producerEpoch() + " " + batch.baseSequence() + " " + batch.lastSequence()
            + " " + batch.countOrNull() + " " + (batch.isValid() ? "valid" : "damaged") + " "
            + CODECS[batch.compressionType().id]);
        for (Record record : batch) {
            text.append("|record ").append(record.offset() - base).append(" ").append(record.timestamp()).append(" ")
                .append(hex(record.key())).append(" ").append(hex(record.value()));
            for (Header header : record.headers()) {
                text.append(" ").append(hex(ByteBuffer.wrap(header.key().getBytes(StandardCharsets.UTF_8)))).append("=")
                    .append(hex(header.value() == null ? null : ByteBuffer.wrap(header.value())));
            }
        }
        return text.toString();
    }

    static String describe(ByteBuffer raw) {
        MemoryRecords records = MemoryRecords.readableRecords(raw.duplicate());
        return describe((DefaultRecordBatch) records.batches().iterator().next(), raw);
    }

    // ---- random batches

    static byte[] bytes(Random random) {
        int kind = random.nextInt(100);
        int size = kind < 10 ? 0 : kind < 90 ? random.nextInt(150) : kind < 99 ? random.nextInt(5000) : random.nextInt(150000);
        byte[] bytes = new byte[size];
        if (random.nextBoolean()) random.nextBytes(bytes);
        else for (int i = 0; i < size; i++) bytes[i] = (byte) ("some words that come again ".charAt(i % 27));
        return bytes;
    }

    static byte[] maybe(Random random, int percentNull) {
        return random.nextInt(100) < percentNull ? null : bytes(random);
    }

    static Header[] headers(Random random) {
        Header[] headers = new Header[random.nextInt(3) == 0 ? random.nextInt(4) : 0];
        for (int i = 0; i < headers.length; i++) {
            headers[i] = new RecordHeader(random.nextInt(4) == 0 ? "" : "h\u00e9ader" + random.nextInt(100),
                maybe(random, 20));
        }
        return headers;
    }

    static Compression compression(Random random, int codec) {
        boolean plain = random.nextBoolean();
        return switch (codec) {
            case 0 -> Compression.NONE;
            case 1 -> plain ? Compression.gzip().build() : Compression.gzip().level(1 + random.nextInt(9)).build();
            case 2 -> Compression.snappy().build();
            case 3 -> plain ? Compression.lz4().build() : Compression.lz4().level(1 + random.nextInt(17)).build();
            default -> plain ? Compression.zstd().build() : Compression.zstd().level(random.nextInt(30) - 7).build();
        };
    }

    static ByteBuffer build(MemoryRecordsBuilder builder) {
        return builder.build().buffer();
    }

    static ByteBuffer randomBatch(Random random) {
        int kind = random.nextInt(10);
        long base = random.nextInt(3) == 0 ? 0 : random.nextLong() >>> (1 + random.nextInt(40));
        long time = NOW - random.nextInt(100_000_000);
        int epoch = random.nextInt(100) - 1;
        if (kind == 0) {
            EndTransactionMarker marker = new EndTransactionMarker(
                random.nextBoolean() ? ControlRecordType.COMMIT : ControlRecordType.ABORT, random.nextInt(1000));
            return MemoryRecords.withEndTransactionMarker(base, time, epoch, random.nextInt(1_000_000),
                (short) random.nextInt(30000), marker).buffer();
        }
        boolean appendTime = random.nextInt(4) == 0;
        boolean producer = random.nextInt(3) == 0;
        boolean transactional = producer && random.nextBoolean();
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(1024), (byte) 2,
            compression(random, random.nextInt(5)), appendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
            base, appendTime ? NOW : -1L, producer ? random.nextInt(1_000_000) : -1L,
            (short) (producer ? random.nextInt(30000) : -1),
            producer ? (random.nextInt(5) == 0 ? Integer.MAX_VALUE - random.nextInt(3) : random.nextInt(1_000_000)) : -1,
            transactional, false, epoch, Integer.MAX_VALUE,
            random.nextInt(6) == 0 ? NOW + random.nextInt(1000) : RecordBatch.NO_TIMESTAMP);
        long offset = base;
        int count = 1 + random.nextInt(random.nextInt(10) == 0 ? 2000 : 20);
        boolean gaps = random.nextInt(4) == 0;
        for (int i = 0; i < count; i++) {
            long timestamp = random.nextInt(30) == 0 ? random.nextLong() >>> 1 : time + random.nextInt(2000) - 1000;
            if (random.nextInt(50) == 0) timestamp = -1;
            byte[] value = count > 100 && random.nextInt(50) != 0 ? new byte[random.nextInt(20)] : maybe(random, 10);
            builder.appendWithOffset(offset, timestamp, maybe(random, count > 100 ? 95 : 20), value, headers(random));
            offset += gaps ? 1 + random.nextInt(100) : 1;
        }
        if (gaps && random.nextBoolean()) builder.overrideLastOffset(offset + random.nextInt(10));
        return build(builder);
    }

    static void write(long seed, int count, String batches, String text) throws IOException {
        Random random = new Random(seed);
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(Path.of(batches)));
             PrintWriter print = new PrintWriter(text)) {
            for (int i = 0; i < count; i++) {
                ByteBuffer raw = randomBatch(random);
                byte[] bytes = new byte[raw.remaining()];
                raw.duplicate().get(bytes);
                out.writeInt(bytes.length);
                out.write(bytes);
                print.println(describe(ByteBuffer.wrap(bytes)));
            }
        }
    }

    static void read(String batches, String text) throws IOException {
        try (DataInputStream in = new DataInputStream(new java.io.BufferedInputStream(Files.newInputStream(Path.of(batches))));
             PrintWriter print = new PrintWriter(text)) {
            while (true) {
                byte[] bytes;
                try {
                    bytes = new byte[in.readInt()];
                } catch (EOFException end) {
                    return;
                }
                in.readFully(bytes);
                String line;
                try {
                    line = describe(ByteBuffer.wrap(bytes));
                } catch (RuntimeException e) {
                    line = "unreadable " + e;
                }
                print.println(line);
            }
        }
    }

    // ---- what a leader answers

    // A topic's settings: codec ("producer" keeps the client's), level, time, bounds, compaction, sizes.
    record Policy(String codec, String level, boolean appendTime, long before, long after, boolean compacted, int maxBytes,
                  int segmentBytes) {
        String text() {
            return codec + " " + level + " " + (appendTime ? 1 : 0) + " " + before + " " + after + " " + (compacted ? 1 : 0)
                + " " + maxBytes + " " + segmentBytes;
        }

        UnifiedLog open(File directory) throws IOException {
            Properties p = new Properties();
            p.put("compression.type", codec);
            if (!level.equals("-")) p.put("compression." + codec + ".level", level);
            p.put("message.timestamp.type", appendTime ? "LogAppendTime" : "CreateTime");
            p.put("message.timestamp.before.max.ms", Long.toString(before));
            p.put("message.timestamp.after.max.ms", Long.toString(after));
            p.put("cleanup.policy", compacted ? "compact" : "delete");
            p.put("max.message.bytes", Integer.toString(maxBytes));
            p.put("internal.segment.bytes", Integer.toString(segmentBytes));
            p.put("segment.ms", Long.toString(Long.MAX_VALUE));
            p.put("segment.index.bytes", "4096");
            p.put("retention.ms", "-1");
            return UnifiedLog.create(directory, new LogConfig(p), 0, 0, NEVER, new BrokerTopicStats(), FROZEN, 86_400_000,
                new ProducerStateManagerConfig(86_400_000, false), 600_000, new LogDirFailureChannel(1), true,
                Optional.empty());
        }
    }

    static final Policy[] POLICIES = {
        new Policy("producer", "-", false, Long.MAX_VALUE, 3_600_000, false, 1_048_588, 1 << 30),
        new Policy("producer", "-", false, 1000, 1000, true, 1_048_588, 1 << 30),
        new Policy("producer", "-", true, Long.MAX_VALUE, 3_600_000, false, 1_048_588, 1 << 30),
        new Policy("producer", "-", true, Long.MAX_VALUE, 3_600_000, true, 700, 1 << 30),
        new Policy("producer", "-", false, Long.MAX_VALUE, 3_600_000, false, 1_048_588, 600),
        new Policy("zstd", "5", false, Long.MAX_VALUE, 3_600_000, false, 1_048_588, 1 << 30),
        new Policy("lz4", "12", true, Long.MAX_VALUE, 3_600_000, true, 1_048_588, 1 << 30),
        new Policy("gzip", "1", false, 100_000, 1000, true, 1_048_588, 1 << 30),
        new Policy("snappy", "-", false, Long.MAX_VALUE, 3_600_000, false, 1_048_588, 1 << 30),
        new Policy("uncompressed", "-", false, Long.MAX_VALUE, 3_600_000, false, 2000, 1 << 30),
    };

    static void fixCrc(byte[] batch) {
        if (batch.length < 61) return;
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        int end = Math.min(batch.length, Math.max(61, 12 + ByteBuffer.wrap(batch).getInt(8)));
        crc.update(batch, 21, end - 21);
        ByteBuffer.wrap(batch).putInt(17, (int) crc.getValue());
    }

    static byte[] clientBatch(Random random, long producerId) {
        boolean producer = random.nextInt(3) == 0;
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(512), (byte) 2,
            compression(random, random.nextInt(5)), TimestampType.CREATE_TIME, 0, -1L, producer ? producerId : -1L,
            (short) (producer ? 0 : -1), producer ? 0 : -1, producer && random.nextInt(3) == 0, false, -1, Integer.MAX_VALUE);
        int count = 1 + random.nextInt(6);
        for (int i = 0; i < count; i++) {
            long timestamp = NOW + random.nextInt(1800) - 900;
            if (random.nextInt(40) == 0) timestamp = NOW + 7_200_000;
            if (random.nextInt(40) == 0) timestamp = NOW - 7_200_000;
            if (random.nextInt(40) == 0) timestamp = -1;
            byte[] value = new byte[random.nextInt(random.nextInt(20) == 0 ? 3000 : 60)];
            builder.appendWithOffset(i, timestamp, random.nextInt(12) == 0 ? null : ("key" + i).getBytes(), value,
                random.nextInt(4) == 0 ? new Header[] {new RecordHeader("h", new byte[3])} : Record.EMPTY_HEADERS);
        }
        ByteBuffer raw = build(builder);
        byte[] bytes = new byte[raw.remaining()];
        raw.duplicate().get(bytes);
        return bytes;
    }

    // A batch around records that no client would write.
    static byte[] oddBatch(Random random) throws IOException {
        int codec = random.nextInt(5);
        int count = 1 + random.nextInt(3);
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            int delta = random.nextInt(3) == 0 ? random.nextInt(4) : i;
            byte[] record = {12, 0, 0, (byte) (2 * delta), 1, 1, 0};
            // Not the length of a compressed one: Kafka does not look whether it is right, we do.
            if (random.nextInt(6) == 0) record[codec == 0 ? random.nextInt(7) : 1 + random.nextInt(6)] = (byte) random.nextInt(256);
            records.write(record);
        }
        if (random.nextInt(6) == 0) records.write(random.nextInt(256));
        ByteBufferOutputStream compressed = new ByteBufferOutputStream(256);
        try (OutputStream out = compression(random, codec).wrapForOutput(compressed, (byte) 2)) {
            out.write(records.toByteArray());
        }
        ByteBuffer payload = compressed.buffer();
        payload.flip();
        if (random.nextInt(6) == 0) count += random.nextInt(3) - 1;
        ByteBuffer batch = ByteBuffer.allocate(61 + payload.remaining());
        DefaultRecordBatch.writeEmptyHeader(batch, (byte) 2, -1L, (short) -1, -1, 0, count - 1, -1, TimestampType.CREATE_TIME,
            NOW, false, false);
        batch.putInt(8, batch.capacity() - 12).putShort(21, (short) codec).putInt(57, count).putLong(27, NOW);
        batch.position(61);
        batch.put(payload);
        fixCrc(batch.array());
        return batch.array();
    }

    static byte[] damaged(Random random, byte[] batch) {
        ByteBuffer view = ByteBuffer.wrap(batch);
        int[] specials = {0, 1, -1, 2, 10, 48, 49, 77, Integer.MAX_VALUE, Integer.MIN_VALUE, random.nextInt()};
        int special = specials[random.nextInt(specials.length)];
        boolean fix = random.nextInt(8) != 0;
        switch (random.nextInt(14)) {
            case 0 -> view.put(16, (byte) (random.nextInt(5) - 1));
            // Not near 2^31, where Kafka's own sum overflows.
            case 1 -> view.putInt(8, random.nextBoolean() ? special >> 1 : view.getInt(8) + random.nextInt(7) - 3);
            case 2 -> view.putLong(0, special);
            case 3 -> view.putInt(12, special);
            case 4 -> view.putShort(21, (short) (view.getShort(21) ^ (1 << random.nextInt(16))));
            case 5 -> view.putInt(23, special);
            case 6 -> view.putLong(35, random.nextBoolean() ? special : NOW + 10_000_000);
            case 7 -> view.putLong(27, random.nextBoolean() ? special : NOW + random.nextInt(10_000_000) - 5_000_000);
            // Never one that another batch has: Kafka would take this for its duplicate.
            case 8 -> view.putLong(43, random.nextBoolean() ? -2 - (special & 0xffff) : 1_000_000_000L + random.nextInt(1_000_000_000));
            case 9 -> view.putInt(53, special);
            case 10 -> view.putInt(57, special);
            case 11 -> {
                batch = java.util.Arrays.copyOf(batch, random.nextInt(batch.length));
                fix = false;
            }
            case 12 -> {
                int more = random.nextInt(40);
                batch = java.util.Arrays.copyOf(batch, batch.length + (random.nextBoolean() ? more : batch.length));
                if (batch.length >= 2 * 61 && random.nextBoolean()) {
                    int half = batch.length / 2;
                    System.arraycopy(batch, 0, batch, half, half);
                }
                fix = false;
            }
            default -> {
                int flips = 1 + random.nextInt(2);
                for (int i = 0; i < flips && batch.length > 61; i++) {
                    batch[61 + random.nextInt(batch.length - 61)] ^= (byte) (1 << random.nextInt(8));
                }
            }
        }
        if (fix) fixCrc(batch);
        return batch;
    }

    static String answer(UnifiedLog log, Policy policy, short version, byte[] bytes) throws IOException {
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes.clone()));
        try {
            ProduceRequest.validateRecords(version, records);
            LogAppendInfo info = log.appendAsLeader(records, 0, AppendOrigin.CLIENT, RequestLocal.noCaching(),
                VerificationGuard.SENTINEL, (short) 0);
            Records stored = log.read(info.firstOffset(), 1, FetchIsolation.LOG_END, true).records;
            ByteBuffer raw = ByteBuffer.allocate(stored.sizeInBytes());
            ((org.apache.kafka.common.record.internal.FileRecords) stored).readInto(raw, 0);
            return "0 [] " + describe(raw);
        } catch (RecordValidationException e) {
            List<Integer> indexes = new ArrayList<>();
            e.recordErrors().forEach(error -> indexes.add(error.batchIndex));
            return Errors.forException(e.invalidException()).code() + " " + indexes;
        } catch (ApiException e) {
            return Errors.forException(e).code() + " []";
        } catch (RuntimeException | Error e) {  // what Kafka's codecs throw, among others
            return "-1 []";
        }
    }

    static void judge(long seed, int count, String cases, String answers) throws IOException {
        Random random = new Random(seed);
        File directory = Files.createTempDirectory("batch-proof").toFile();
        List<UnifiedLog> logs = new ArrayList<>();
        for (int i = 0; i < POLICIES.length; i++) {
            File partition = new File(directory, "t" + i + "-0");
            partition.mkdirs();
            logs.add(POLICIES[i].open(partition));
        }
        try (PrintWriter caseOut = new PrintWriter(cases); PrintWriter answerOut = new PrintWriter(answers)) {
            for (int i = 0; i < count; i++) {
                int policy = random.nextInt(POLICIES.length);
                short version = (short) (random.nextInt(10) == 0 ? 3 + random.nextInt(10) : 9);
                byte[] bytes = random.nextInt(5) == 0 ? oddBatch(random) : clientBatch(random, 1000 + i);
                byte[] whole = bytes.clone();
                if (random.nextInt(3) != 0) bytes = damaged(random, bytes);
                boolean garbled = bytes.length == whole.length && bytes.length > 61 && (whole[22] & 7) != 0
                    && !java.util.Arrays.equals(bytes, 61, bytes.length, whole, 61, whole.length);
                caseOut.println(POLICIES[policy].text() + " " + version + " " + NOW + " x" + HexFormat.of().formatHex(bytes)
                    + (garbled ? " garbled" : ""));
                answerOut.println(answer(logs.get(policy), POLICIES[policy], version, bytes));
            }
        } finally {
            for (UnifiedLog log : logs) log.close();
            try (var paths = Files.walk(directory.toPath())) {
                paths.sorted(java.util.Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            }
        }
    }
}
