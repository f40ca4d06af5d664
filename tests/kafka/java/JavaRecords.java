import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** The records of the interop matrix; ../records.py defines them. */
final class JavaRecords {
    private JavaRecords() {}

    static byte[] generate(long seed, long i, long stream, int length, boolean text) {
        long state = seed * 1000003L + i * 31L + stream;
        byte[] out = new byte[length];
        for (int at = 0; at < length; at++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            int b = (int) (state >>> 56);
            out[at] = (byte) (text ? 97 + b % 2 : b);
        }
        return out;
    }

    private static byte[] key(long seed, long i) {
        if (i % 7 == 0) {
            return null;
        }
        return i % 7 == 1 ? new byte[0] : generate(seed, i, 1, (int) (1 + i % 16), false);
    }

    private static byte[] value(long seed, long i) {
        if (i % 11 == 3) {
            return null;
        }
        if (i % 13 == 5) {
            return new byte[0];
        }
        long length = i % 499 == 250 ? 100000 : i % 97 == 13 ? 40000 : i * 37 % 400;
        return generate(seed, i, 2, (int) length, i % 2 == 0);
    }

    private static Header header(long seed, long i, long j) {
        String name = i % 4 == 2 ? "same" : i % 8 == 3 ? "gr\u00f6\u00dfe-" + j : "h" + j;
        long kind = (i + j) % 5;
        byte[] value = kind == 0 ? null
            : kind == 1 ? new byte[0] : generate(seed, i, 10 + j, (int) (1 + (i + j) % 20), false);
        return new RecordHeader(name, value);
    }

    static ProducerRecord<byte[], byte[]> record(String topic, long seed, long i, int partitions) {
        List<Header> headers = new ArrayList<>();
        for (long j = 0; j < i % 4; j++) {
            headers.add(header(seed, i, j));
        }
        long timestamp = 1500000000000L + i * 7919 % 100000;
        return new ProducerRecord<>(topic, (int) (i % partitions), timestamp, key(seed, i), value(seed, i), headers);
    }

    /** A record as a line of JSON, as records.py's as_line. */
    static String line(String topic, int partition, long offset, long timestamp, String timestampType, byte[] key,
                       byte[] value, Iterable<Header> headers) {
        StringBuilder s = new StringBuilder("{\"topic\": ").append(quote(topic)).append(", \"partition\": ")
            .append(partition).append(", \"offset\": ").append(offset).append(", \"timestamp\": ").append(timestamp)
            .append(", \"timestamp_type\": ").append(quote(timestampType)).append(", \"key\": ").append(hex(key))
            .append(", \"value\": ").append(hex(value)).append(", \"headers\": [");
        String comma = "";
        for (Header h : headers) {
            s.append(comma).append('[').append(quote(h.key())).append(", ").append(hex(h.value())).append(']');
            comma = ", ";
        }
        return s.append("]}").toString();
    }

    private static String quote(String text) {
        StringBuilder s = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c < ' ' || c == '"' || c == '\\') {
                s.append(String.format("\\u%04x", (int) c));
            } else {
                s.append(c);
            }
        }
        return s.append('"').toString();
    }

    private static String hex(byte[] data) {
        if (data == null) {
            return "null";
        }
        StringBuilder s = new StringBuilder("\"");
        for (byte b : data) {
            s.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
        }
        return s.append('"').toString();
    }
}
