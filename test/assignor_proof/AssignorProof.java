import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** Prints random groups and what Kafka's assignors give their members: args are seed and rounds. Read by assignors.cpp. */
public class AssignorProof {
    static Random random;

    static ConsumerPartitionAssignor make(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            default -> new CooperativeStickyAssignor();
        };
    }

    static String hex(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    static String show(List<TopicPartition> partitions) {
        Set<String> sorted = partitions.stream().map(at -> at.topic() + ":" + at.partition()).collect(Collectors.toCollection(TreeSet::new));
        return sorted.isEmpty() ? "-" : String.join(",", sorted);
    }

    public static void main(String[] args) {
        random = new Random(Long.parseLong(args[0]));
        int rounds = Integer.parseInt(args[1]);
        for (String name : List.of("range", "roundrobin", "sticky", "cooperative-sticky"))
            for (int round = 0; round < rounds; round++) group(name);
    }

    // A group through some rebalances: members come, go and change their minds, partitions are added.
    static void group(String name) {
        boolean racks = random.nextInt(3) == 0;
        boolean alike = random.nextInt(2) == 0;
        boolean statics = random.nextInt(4) == 0;
        int racksInAll = 1 + random.nextInt(3);
        Node[] nodes = new Node[3];
        for (int i = 0; i < 3; i++) nodes[i] = new Node(i, "h" + i, 1, racks ? "r" + i % racksInAll : null);
        Map<String, Integer> topics = new HashMap<>();
        int topicCount = 1 + random.nextInt(5);
        boolean equal = random.nextInt(2) == 0;
        for (int i = 0; i < topicCount; i++) topics.put("topic-" + i, equal ? 6 : 1 + random.nextInt(12));
        Map<String, List<TopicPartition>> owned = new HashMap<>();
        Map<String, Integer> generations = new HashMap<>();
        Map<String, List<String>> wants = new LinkedHashMap<>();
        Map<String, String> rackOf = new HashMap<>();
        int generation = 0;
        for (int step = 0; step < 4; step++) {
            generation++;
            int wanted = 1 + random.nextInt(14);
            while (wants.size() < wanted) {
                String id = "consumer-" + random.nextInt(100) + "-" + new java.util.UUID(random.nextLong(), random.nextLong());
                List<String> mine = new ArrayList<>(topics.keySet());
                if (!alike) mine.removeIf(topic -> random.nextInt(3) == 0);
                if (mine.isEmpty()) mine.add("topic-0");  // with no topics at all Java calls the next one alike
                wants.put(id, mine);
                if (racks && random.nextInt(5) > 0) rackOf.put(id, "r" + random.nextInt(3));
            }
            List<String> ids = new ArrayList<>(wants.keySet());
            Collections.shuffle(ids, random);
            while (ids.size() > wanted) {
                String gone = ids.remove(0);
                wants.remove(gone);
                owned.remove(gone);
            }
            if (!alike && random.nextInt(2) == 0) wants.get(ids.get(0)).removeIf(topic -> !topic.equals("topic-0") && random.nextInt(2) == 0);
            if (wants.get(ids.get(0)).isEmpty()) wants.get(ids.get(0)).add("topic-0");
            if (random.nextInt(3) == 0) topics.computeIfPresent("topic-0", (topic, count) -> count + 1);
            rebalance(name, nodes, topics, ids, wants, rackOf, owned, generations, generation, statics);
        }
    }

    static void rebalance(String name, Node[] nodes, Map<String, Integer> topics, List<String> ids, Map<String, List<String>> wants,
                          Map<String, String> rackOf, Map<String, List<TopicPartition>> owned, Map<String, Integer> generations,
                          int generation, boolean statics) {
        StringBuilder text = new StringBuilder("case " + name + "\n");
        List<PartitionInfo> infos = new ArrayList<>();
        Random placing = new Random(topics.hashCode());
        for (String topic : new TreeSet<>(topics.keySet())) {
            text.append("topic ").append(topic);
            for (int i = 0; i < topics.get(topic); i++) {
                Node[] replicas = placing.nextInt(2) == 0 ? new Node[] {nodes[i % 3]} : new Node[] {nodes[i % 3], nodes[(i + 1) % 3]};
                infos.add(new PartitionInfo(topic, i, replicas[0], replicas, replicas));
                List<String> in = new ArrayList<>();
                for (Node node : replicas) if (node.rack() != null) in.add(node.rack());
                text.append(' ').append(in.isEmpty() ? "-" : String.join(",", in));
            }
            text.append('\n');
        }
        Map<String, Subscription> subscriptions = new HashMap<>();
        for (String id : ids) {
            ConsumerPartitionAssignor mine = make(name);
            List<TopicPartition> had = owned.get(id);
            int since = generations.getOrDefault(id, -1);
            if (had != null) mine.onAssignment(new Assignment(had), new ConsumerGroupMetadata("g", since, id, Optional.empty()));
            boolean cooperative = name.equals("cooperative-sticky");
            // Some members missed the last rebalances and still think that they own what they had.
            Subscription subscription = new Subscription(wants.get(id), mine.subscriptionUserData(Set.copyOf(wants.get(id))),
                    cooperative && had != null ? had : List.of(), since, Optional.ofNullable(rackOf.get(id)));
            String instance = statics && id.hashCode() % 2 == 0 ? "i" + id.substring(9) : null;
            ByteBuffer bytes = ConsumerProtocol.serializeSubscription(subscription);
            Subscription heard = ConsumerProtocol.deserializeSubscription(bytes.duplicate());
            heard.setGroupInstanceId(Optional.ofNullable(instance));
            subscriptions.put(id, heard);
            text.append("member ").append(id).append(' ').append(instance == null ? "-" : instance).append(' ').append(hex(bytes)).append('\n');
        }
        Cluster cluster = new Cluster("c", List.of(nodes), infos, Set.of(), Set.of());
        Map<String, Assignment> assigned;
        try {
            assigned = make(name).assign(cluster, new GroupSubscription(subscriptions)).groupAssignment();
        } catch (NullPointerException e) {
            return;  // the sticky assignors' own bug: an earlier owner that takes no part any more
        }
        // Another of theirs: an earlier owner gets back what it does not subscribe to any more. Ours does not follow.
        for (String id : ids)
            for (TopicPartition at : assigned.get(id).partitions())
                if (!wants.get(id).contains(at.topic())) return;
        for (String id : ids) {
            List<TopicPartition> given = assigned.get(id).partitions();
            text.append("expect ").append(id).append(' ').append(show(given)).append('\n');
            if (owned.containsKey(id) && random.nextInt(12) == 0) continue;  // did not hear of it
            owned.put(id, given);
            generations.put(id, generation);
        }
        System.out.print(text.append("end\n"));
    }
}
