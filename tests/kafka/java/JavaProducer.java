import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Kafka's own client as the writing peer of the interop matrix. */
public final class JavaProducer {
    private JavaProducer() {}

    public static void main(String[] args) throws Exception {
        JavaArguments a = new JavaArguments(args);
        for (String pair : a.topics) {
            int colon = pair.lastIndexOf(':');
            write(a, pair.substring(0, colon), pair.substring(colon + 1));
        }
    }

    private static void write(JavaArguments a, String topic, String codec) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", a.bootstrap);
        p.put("acks", a.acks);
        int dot = codec.indexOf('.');
        if (dot < 0) {
            p.put("compression.type", codec);
        } else {
            // Clients before 3.8 know no levels, and only warn.
            p.put("compression.type", codec.substring(0, dot));
            p.put("compression." + codec.substring(0, dot) + ".level", codec.substring(dot + 1));
        }
        p.put("batch.size", "65536");
        p.put("linger.ms", "50");
        p.put("enable.idempotence", String.valueOf(a.acks.equals("all") || a.acks.equals("-1")));
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer =
                 new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < a.count; i++) {
                sent.add(producer.send(JavaRecords.record(topic, a.seed, i, a.partitions)));
            }
            producer.flush();
        }
        for (Future<RecordMetadata> f : sent) {
            f.get();
        }
    }
}
