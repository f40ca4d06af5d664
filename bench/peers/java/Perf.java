import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** kafka-clients under the options and the JSON line of milena-perf. A producer's mode is always one record a call. */
public final class Perf {
    private static final int POOL = 1000;
    private static final int MOST_POLLED = 8192;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String op;
    private final Map<String, String> options = new HashMap<>();
    private final Map<String, Object> conf = new HashMap<>();
    private final String topic;
    private final int count;
    private final int size;
    private final int warmup;
    private final byte[][] pool = new byte[POOL][];
    private long startedNs;
    private long startedCpuNs;

    private Perf(String[] args) {
        op = args[0];
        for (int i = 1; i < args.length; i += 2) {
            if (args[i].equals("--conf")) {
                String[] pair = args[i + 1].split("=", 2);
                conf.put(pair[0], pair[1]);
            } else {
                options.put(args[i].substring(2), args[i + 1]);
            }
        }
        topic = options.get("topic");
        count = number("count", 1000000);
        size = number("size", 100);
        warmup = number("warmup", 0);
        makePool();
    }

    private int number(String name, int otherwise) {
        return Integer.parseInt(options.getOrDefault(name, String.valueOf(otherwise)));
    }

    /** Values whose first half is random and whose second half is constant. */
    private void makePool() {
        Random random = new Random(88172645463325252L);
        for (int i = 0; i < POOL; i++) {
            byte[] half = new byte[size / 2];
            random.nextBytes(half);
            pool[i] = Arrays.copyOf(half, size);
            Arrays.fill(pool[i], half.length, size, (byte) 'x');
        }
    }

    private void put(Map<String, Object> to, String property, String option) {
        if (options.containsKey(option)) {
            to.put(property, options.get(option));
        }
    }

    private KafkaProducer<byte[], byte[]> producer() {
        Map<String, Object> p = new HashMap<>();
        put(p, "bootstrap.servers", "bootstrap");
        put(p, "acks", "acks");
        put(p, "linger.ms", "linger");
        put(p, "compression.type", "compression");
        put(p, "batch.size", "batch");
        p.putAll(conf);
        return new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        boolean oneByOne = op.equals("e2e") || "poll".equals(options.get("mode"));
        Map<String, Object> p = new HashMap<>();
        put(p, "bootstrap.servers", "bootstrap");
        put(p, "group.id", "group");
        p.put("auto.offset.reset", "earliest");
        p.put("enable.auto.commit", String.valueOf(options.containsKey("group")));
        p.put("max.poll.records", String.valueOf(oneByOne ? 1 : MOST_POLLED));
        p.putAll(conf);
        return new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private void send(KafkaProducer<byte[], byte[]> producer, int n) throws Exception {
        AtomicReference<Exception> failure = new AtomicReference<>();
        for (int i = 0; i < n; i++) {
            producer.send(new ProducerRecord<>(topic, pool[i % POOL]), (where, error) -> {
                if (error != null) {
                    failure.set(error);
                }
            });
        }
        producer.flush();
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    private void produce() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            send(producer, warmup);
            start();
            send(producer, count);
            print((long) count * size, null);
        }
    }

    private ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(PATIENCE);
        if (records.isEmpty()) {
            throw new IllegalStateException("no record came");
        }
        return records;
    }

    private void begin(KafkaConsumer<byte[], byte[]> consumer, boolean atEnd) {
        if (options.containsKey("group")) {
            consumer.subscribe(List.of(topic));
            return;
        }
        List<TopicPartition> all = consumer.partitionsFor(topic).stream()
            .map(p -> new TopicPartition(topic, p.partition())).collect(Collectors.toList());
        consumer.assign(all);
        if (atEnd) {
            consumer.seekToEnd(all);
        } else {
            consumer.seekToBeginning(all);
        }
        all.forEach(consumer::position);
    }

    private long read(KafkaConsumer<byte[], byte[]> consumer, int n) {
        long bytes = 0;
        while (n > 0) {
            for (ConsumerRecord<byte[], byte[]> record : poll(consumer)) {
                bytes += record.value().length;
                n--;
            }
        }
        return bytes;
    }

    /** Warming up reads the first records, then goes back to the beginning. */
    private void consume() throws IOException {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            begin(consumer, false);
            if (warmup > 0) {
                read(consumer, warmup);
                begin(consumer, false);
            }
            start();
            long bytes = read(consumer, count);
            print(bytes, null);
        }
    }

    private interface Once {
        void run(int i) throws InterruptedException, ExecutionException;
    }

    private void oneByOne(Once once) throws Exception {
        for (int i = 0; i < warmup; i++) {
            once.run(i);
        }
        long[] latencies = new long[count];
        start();
        for (int i = 0; i < count; i++) {
            long sent = System.nanoTime();
            once.run(warmup + i);
            latencies[i] = System.nanoTime() - sent;
        }
        print((long) count * size, latencies);
    }

    private void lat() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            oneByOne(i -> producer.send(new ProducerRecord<>(topic, pool[i % POOL])).get());
        }
    }

    private void e2e() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(); KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            producer.send(new ProducerRecord<>(topic, pool[0])).get();
            begin(consumer, true);
            oneByOne(i -> {
                byte[] value = pool[i % POOL].clone();
                if (size >= Integer.BYTES) {
                    ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).putInt(i);
                }
                producer.send(new ProducerRecord<>(topic, value));
                if (!Arrays.equals(poll(consumer).iterator().next().value(), value)) {
                    throw new IllegalStateException("the record that was read is not the one that was sent");
                }
            });
        }
    }

    private static long cpuNs() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private void start() {
        startedCpuNs = cpuNs();
        startedNs = System.nanoTime();
    }

    private static double maxRssMb() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Double.parseDouble(line.split("\\s+")[1]) / 1024;
            }
        }
        return 0;
    }

    private static double percentile(long[] sorted, double share) {
        int rank = (int) (share * sorted.length + 0.999999);
        return sorted[Math.max(rank, 1) - 1] / 1000.0;
    }

    private void print(long bytes, long[] latencies) throws IOException {
        double seconds = (System.nanoTime() - startedNs) / 1e9;
        double cpu = (cpuNs() - startedCpuNs) / 1e9;
        String line = String.format(Locale.ROOT, "{\"client\":\"java\",\"op\":\"%s\",\"msgs\":%d,\"bytes\":%d,"
            + "\"seconds\":%.6f,\"msgs_per_s\":%.1f,\"mb_per_s\":%.3f,\"cpu_seconds\":%.6f,\"cpu_ns_per_msg\":%.1f,"
            + "\"max_rss_mb\":%.1f", op, count, bytes, seconds, count / seconds, bytes / seconds / (1 << 20), cpu,
            cpu * 1e9 / count, maxRssMb());
        if (latencies != null) {
            Arrays.sort(latencies);
            line += String.format(Locale.ROOT, ",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f",
                percentile(latencies, 0.5), percentile(latencies, 0.99), percentile(latencies, 0.999));
        }
        System.out.println(line + "}");
    }

    public static void main(String[] args) throws Exception {
        Perf perf = new Perf(args);
        switch (perf.op) {
            case "produce": perf.produce(); break;
            case "consume": perf.consume(); break;
            case "lat": perf.lat(); break;
            case "e2e": perf.e2e(); break;
            default: throw new IllegalArgumentException("there is no operation " + perf.op);
        }
    }
}
