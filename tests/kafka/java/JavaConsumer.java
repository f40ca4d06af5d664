import java.io.PrintStream;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Kafka's own client as the reading peer of the interop matrix. */
public final class JavaConsumer {
    private JavaConsumer() {}

    public static void main(String[] args) throws Exception {
        JavaArguments a = new JavaArguments(args);
        Properties p = new Properties();
        p.put("bootstrap.servers", a.bootstrap);
        p.put("group.id", "unused");
        p.put("enable.auto.commit", "false");
        p.put("auto.offset.reset", "earliest");
        try (KafkaConsumer<byte[], byte[]> consumer =
                 new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
             PrintStream out = new PrintStream(System.out, false, "UTF-8")) {
            for (String topic : a.topics) {
                read(a, consumer, topic, out);
            }
        }
    }

    private static void read(JavaArguments a, KafkaConsumer<byte[], byte[]> consumer, String topic, PrintStream out)
            throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        for (int i = 0; i < a.partitions; i++) {
            partitions.add(new TopicPartition(topic, i));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        long end = System.nanoTime() + (long) (a.timeout * 1e9);
        int left = a.count;
        while (left > 0) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(topic + ": " + left + " records are missing");
            }
            for (ConsumerRecord<byte[], byte[]> r : poll(consumer, 500)) {
                left--;
                out.println(JavaRecords.line(topic, r.partition(), r.offset(), r.timestamp(),
                    name(r.timestampType()), r.key(), r.value(), r.headers()));
            }
        }
    }

    private static String name(TimestampType type) {
        return type == TimestampType.CREATE_TIME ? "create" : type == TimestampType.LOG_APPEND_TIME ? "append" : "none";
    }

    /** poll(Duration) came with 2.0 and poll(long) went with 4.0: this file compiles against both. */
    @SuppressWarnings("unchecked")
    private static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer, long millis)
            throws Exception {
        for (Method m : KafkaConsumer.class.getMethods()) {
            if (m.getName().equals("poll") && m.getParameterCount() == 1) {
                boolean isLong = m.getParameterTypes()[0] == long.class;
                Object timeout = isLong ? (Object) millis : java.time.Duration.ofMillis(millis);
                return (ConsumerRecords<byte[], byte[]>) m.invoke(consumer, timeout);
            }
        }
        throw new IllegalStateException("this kafka-clients has no poll");
    }
}
