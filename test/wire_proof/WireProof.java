// Kafka's side of the proof: random values of Kafka's own generated message classes, found by reflection.
//
//   java -cp 'libs/*' WireProof.java make <seed> <rounds>   reads "name min max" lines; writes "name version hex" lines
//   java -cp 'libs/*' WireProof.java check                  reads "name version hex" lines; decodes and encodes each
//
// A line "skip <name> <version or *>" tells what these classes do not have; "fail ..." what went wrong. check ends with
// "passed <n>". Names with "framed/" in front are records of the metadata log with their frame.

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.utils.ImplicitLinkedHashCollection;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

public class WireProof {
    static final String[] PLACES = {
        "org.apache.kafka.common.message.%sData", "org.apache.kafka.common.message.%s", "org.apache.kafka.common.metadata.%s",
        "org.apache.kafka.coordinator.group.generated.%s", "org.apache.kafka.coordinator.share.generated.%s",
        "org.apache.kafka.coordinator.transaction.generated.%s", "org.apache.kafka.raft.generated.%s",
        "org.apache.kafka.storage.internals.log.generated.%s"};
    static final String FRAMED = "framed/";
    static final BufferedWriter OUT = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
    static Random random;

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        if (args[0].equals("make")) {
            random = new Random(Long.parseLong(args[1]));
            make(in, Integer.parseInt(args[2]));
        } else {
            check(in);
        }
        OUT.flush();
    }

    static void say(String line) throws Exception {
        OUT.write(line);
        OUT.write('\n');
    }

    /** The class of message `name`, or null. */
    static Class<?> find(String name) {
        if (name.equals("EndTxnMarkerValue")) name = "EndTxnMarker";
        for (String place : PLACES) {
            try {
                Class<?> found = Class.forName(String.format(place, name));
                if (Message.class.isAssignableFrom(found)) return found;
            } catch (ClassNotFoundException e) {
                // the next place
            }
        }
        return null;
    }

    static Message create(Class<?> type) throws Exception {
        return (Message) type.getDeclaredConstructor().newInstance();
    }

    static byte[] encode(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) throw new IllegalStateException("size() promised more bytes than write() wrote");
        return buffer.array();
    }

    static byte[] encodeFramed(Message message, short version) {
        MetadataRecordSerde serde = new MetadataRecordSerde();
        ApiMessageAndVersion record = new ApiMessageAndVersion((ApiMessage) message, version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(serde.recordSize(record, cache));
        serde.write(record, cache, new ByteBufferAccessor(buffer));
        return buffer.array();
    }

    static void make(BufferedReader in, int rounds) throws Exception {
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ");
            String name = words[0];
            Class<?> type = find(name);
            if (type == null) {
                say("skip " + name + " *");
                continue;
            }
            Message probe = create(type);
            Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
            boolean framed = type.getName().startsWith("org.apache.kafka.common.metadata.");
            for (short version = Short.parseShort(words[1]); version <= Short.parseShort(words[2]); ++version) {
                if (version < probe.lowestSupportedVersion() || version > probe.highestSupportedVersion()) {
                    say("skip " + name + " " + version);
                    continue;
                }
                for (int round = 0; round < rounds; ++round) {
                    Message message = create(type);
                    fill(message, schemas[version]);
                    say(name + " " + version + " " + HexFormat.of().formatHex(encode(message, version)));
                    if (framed) say(FRAMED + name + " " + version + " " + HexFormat.of().formatHex(encodeFramed(message, version)));
                }
            }
        }
    }

    static void check(BufferedReader in) throws Exception {
        long passed = 0;
        Map<String, Class<?>> types = new HashMap<>();
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ");
            boolean framed = words[0].startsWith(FRAMED);
            String name = framed ? words[0].substring(FRAMED.length()) : words[0];
            short version = Short.parseShort(words[1]);
            byte[] bytes = words.length > 2 ? HexFormat.of().parseHex(words[2]) : new byte[0];
            Class<?> type = types.computeIfAbsent(name, WireProof::find);
            if (type == null) {
                say("skip " + words[0] + " *");
                continue;
            }
            Message message = create(type);
            if (version < message.lowestSupportedVersion() || version > message.highestSupportedVersion()) {
                say("skip " + words[0] + " " + version);
                continue;
            }
            try {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                byte[] again;
                if (framed) {
                    ApiMessageAndVersion record = new MetadataRecordSerde().read(new ByteBufferAccessor(buffer), bytes.length);
                    again = encodeFramed(record.message(), record.version());
                } else {
                    message.read(new ByteBufferAccessor(buffer), version);
                    again = encode(message, version);
                }
                if (buffer.hasRemaining()) {
                    say("fail " + line + " bytes are left over in Kafka");
                } else if (!Arrays.equals(bytes, again)) {
                    say("fail " + line + " Kafka writes it as " + HexFormat.of().formatHex(again));
                } else {
                    ++passed;
                }
            } catch (Exception e) {
                say("fail " + line + " Kafka says " + e);
            }
        }
        say("passed " + passed);
    }

    static String plain(String name) {
        return name.replace("_", "").toLowerCase(Locale.ROOT);
    }

    static Field member(Class<?> type, String schemaName) {
        for (Field field : type.getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers()) && plain(field.getName()).equals(plain(schemaName))) {
                field.setAccessible(true);
                return field;
            }
        }
        throw new IllegalStateException(type + " has no field " + schemaName);
    }

    /** Random values for what `schema`, that of one version, names. */
    static void fill(Message message, Schema schema) throws Exception {
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                for (org.apache.kafka.common.protocol.types.Field field : tagged.fields().values()) {
                    if (random.nextBoolean()) set(message, field.name, field.type);
                }
                if (random.nextInt(8) == 0) {
                    for (int tag = 50 + random.nextInt(200); random.nextBoolean(); tag += 1 + random.nextInt(300)) {
                        message.unknownTaggedFields().add(new RawTaggedField(tag, bytes()));
                    }
                }
            } else {
                set(message, bound.def.name, bound.def.type);
            }
        }
    }

    static void set(Message message, String name, Type type) throws Exception {
        Field field = member(message.getClass(), name);
        if (type.isNullable() && random.nextInt(4) == 0) {
            field.set(message, null);
        } else if (type.isArray()) {
            field.set(message, array(field, type.arrayElementType().get()));
        } else {
            field.set(message, value(field.getType(), type));
        }
    }

    @SuppressWarnings("unchecked")
    static Object array(Field field, Type element) throws Exception {
        int count = random.nextInt(40) == 0 ? 130 : random.nextInt(4);
        Class<?> elementClass;
        Collection<Object> list;
        if (ImplicitLinkedHashCollection.class.isAssignableFrom(field.getType())) {
            elementClass = (Class<?>) ((ParameterizedType) field.getType().getGenericSuperclass()).getActualTypeArguments()[0];
            list = (Collection<Object>) field.getType().getConstructor(int.class).newInstance(count);
        } else {
            elementClass = (Class<?>) ((ParameterizedType) field.getGenericType()).getActualTypeArguments()[0];
            list = new ArrayList<>();
        }
        for (; count > 0; --count) list.add(value(elementClass, element));
        return list;
    }

    static Object value(Class<?> kind, Type type) throws Exception {
        if (Message.class.isAssignableFrom(kind)) {
            Message message = create(kind);
            fill(message, (Schema) type);
            return message;
        }
        String name = type.toString();
        if (kind == boolean.class) return random.nextBoolean();
        if (kind == byte.class || kind == Byte.class) return (byte) number(Byte.MIN_VALUE, Byte.MAX_VALUE);
        if (kind == short.class || kind == Short.class) return (short) number(Short.MIN_VALUE, Short.MAX_VALUE);
        if (name.equals("UINT16")) return (int) number(0, 65535);
        if (kind == int.class || kind == Integer.class) return (int) number(Integer.MIN_VALUE, Integer.MAX_VALUE);
        if (kind == long.class || kind == Long.class) return number(Long.MIN_VALUE, Long.MAX_VALUE);
        if (kind == double.class) return random.nextInt() / 4.0;
        if (kind == String.class) return text();
        if (kind == Uuid.class) return random.nextInt(4) == 0 ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong());
        if (kind == byte[].class) return bytes();
        if (kind == ByteBuffer.class) return ByteBuffer.wrap(bytes());
        if (kind.getSimpleName().equals("BaseRecords")) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
        throw new IllegalStateException("no random value for " + kind + " " + type);
    }

    static long number(long low, long high) {
        switch (random.nextInt(6)) {
            case 0: return 0;
            case 1: return low < 0 ? -1 : 1;
            case 2: return low;
            case 3: return high;
            case 4: return random.nextInt(100);
            default:
                long bits = random.nextLong();
                return high == Long.MAX_VALUE ? bits : low + Math.floorMod(bits, high - low + 1);
        }
    }

    static String text() {
        String[] pieces = {"a", "Z", "0", "-", "topic", "\u00e9", "\u20ac", "\ud83d\udc26", " "};
        StringBuilder text = new StringBuilder();
        for (int left = random.nextInt(20) == 0 ? 200 : random.nextInt(8); left > 0; --left) text.append(pieces[random.nextInt(pieces.length)]);
        return text.toString();
    }

    static byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(20) == 0 ? 300 : random.nextInt(20)];
        random.nextBytes(bytes);
        return bytes;
    }
}
