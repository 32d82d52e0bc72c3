import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The driver around kafka-clients: the same source is compiled against 4.3.0 and 2.8.2. Commands and events: rig/driver.py. */
public class Driver {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode command = JSON.readTree(line);
            try {
                switch (command.get("do").asText()) {
                    case "create" -> create(command);
                    case "produce" -> produce(command);
                    case "consume" -> consume(command);
                    case "member" -> member(command);
                    default -> throw new IllegalArgumentException(line);
                }
                emit("done", true);
            } catch (Exception e) {
                e.printStackTrace();
                emit("error", e.toString());
            }
        }
    }

    static synchronized void emit(String name, Object value) {
        System.out.println(JSON.createObjectNode().set(name, JSON.valueToTree(value)).toString());
        System.out.flush();
    }

    static byte[] bytes(JsonNode text) {
        return text.isNull() ? null : text.asText().getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    static void create(JsonNode command) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", command.get("bootstrap").asText());
        Map<String, String> configs = new HashMap<>();
        if (command.has("configs")) command.get("configs").fields().forEachRemaining(e -> configs.put(e.getKey(), e.getValue().asText()));
        try (Admin admin = Admin.create(settings)) {
            NewTopic topic = new NewTopic(command.get("topic").asText(), command.get("partitions").asInt(), (short) 1);
            admin.createTopics(List.of(topic.configs(configs))).all().get();
        }
    }

    static void produce(JsonNode command) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", command.get("bootstrap").asText());
        settings.put("acks", "all");
        settings.put("linger.ms", "20");
        settings.put("compression.type", command.get("codec").asText());
        settings.put("enable.idempotence", command.get("idempotent").asText());
        settings.put("reconnect.backoff.max.ms", "500");
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            int index = 0;
            for (JsonNode row : command.get("records")) {
                ProducerRecord<byte[], byte[]> record =
                        new ProducerRecord<>(command.get("topic").asText(), row.get(0).asInt(), bytes(row.get(1)), bytes(row.get(2)));
                for (JsonNode header : row.get(3)) record.headers().add(header.get(0).asText(), bytes(header.get(1)));
                int at = index++;
                sent.add(producer.send(record, (done, error) -> {
                    if (error == null) emit("ack", new long[] {at, done.partition(), done.offset()});
                }));
                if (command.get("pace_ms").asInt() > 0) Thread.sleep(command.get("pace_ms").asInt());
            }
            producer.flush();
            for (Future<?> future : sent) future.get();
        }
    }

    static KafkaConsumer<byte[], byte[]> consumer(JsonNode command, int poll) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", command.get("bootstrap").asText());
        if (command.hasNonNull("group")) settings.put("group.id", command.get("group").asText());
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        settings.put("heartbeat.interval.ms", "500");
        settings.put("session.timeout.ms", "10000");
        settings.put("reconnect.backoff.max.ms", "500");
        settings.put("fetch.max.wait.ms", "100");
        settings.put("max.poll.records", String.valueOf(poll));
        settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor");
        if (command.path("settings").path("group.protocol").asText().equals("consumer"))
            for (String key : List.of("heartbeat.interval.ms", "session.timeout.ms", "partition.assignment.strategy")) settings.remove(key);
        command.path("settings").fields().forEachRemaining(e -> settings.put(e.getKey(), e.getValue().asText()));
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static void show(ConsumerRecord<byte[], byte[]> record) {
        ArrayNode row = JSON.createArrayNode().add(record.partition()).add(record.offset()).add(text(record.key())).add(text(record.value()));
        ArrayNode headers = row.addArray();
        for (Header header : record.headers()) headers.addArray().add(header.key()).add(text(header.value()));
        emit("record", row);
    }

    static void consume(JsonNode command) {
        String topic = command.get("topic").asText();
        long left = command.get("expect").asLong();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(command, (int) Math.max(1, Math.min(left, 500)))) {
            if (command.hasNonNull("group")) {
                consumer.subscribe(List.of(topic));
            } else {
                List<TopicPartition> all = new ArrayList<>();
                for (JsonNode partition : command.get("partitions")) all.add(new TopicPartition(topic, partition.asInt()));
                consumer.assign(all);
                consumer.seekToBeginning(all);
            }
            Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
            while (left > 0) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
                    if (left-- <= 0) break;
                    show(record);
                    positions.put(new TopicPartition(topic, record.partition()), new OffsetAndMetadata(record.offset() + 1));
                }
            }
            if (command.hasNonNull("group")) consumer.commitSync(positions);
        }
    }

    static void member(JsonNode command) {
        Path until = Path.of(command.get("until").asText());
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(command, 50)) {
            consumer.subscribe(List.of(command.get("topic").asText()), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
                    commit(consumer);
                }

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
                    emit("assigned", consumer.assignment().stream().map(TopicPartition::partition).toList());
                }
            });
            while (!Files.exists(until)) {
                var records = consumer.poll(Duration.ofMillis(100));
                records.forEach(Driver::show);
                if (!records.isEmpty()) commit(consumer);
            }
        }
    }

    /** The broker may be away or the group have moved on: what is read twice is not lost. */
    static void commit(KafkaConsumer<byte[], byte[]> consumer) {
        try {
            consumer.commitSync(Duration.ofSeconds(5));
        } catch (KafkaException e) {
            System.err.println("commit: " + e);
        }
    }
}
