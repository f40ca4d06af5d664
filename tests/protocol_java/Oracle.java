// Reads lines "MessageName version hex" and answers each with "ok" or with what is wrong, having decoded the bytes
// with the classes of kafka-clients, encoded the result again, and compared.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

public class Oracle {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        StringBuilder out = new StringBuilder();
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ", 3);
            out.append(answer(words[0], Short.parseShort(words[1]), HexFormat.of().parseHex(words[2]))).append('\n');
        }
        System.out.print(out);
    }

    static String answer(String name, short version, byte[] bytes) {
        try {
            String suffix = name.startsWith("ConsumerProtocol") ? "" : "Data";
            Class<?> type = Class.forName("org.apache.kafka.common.message." + name + suffix);
            Message message = (Message) type.getDeclaredConstructor().newInstance();
            if (version < message.lowestSupportedVersion() || version > message.highestSupportedVersion()) {
                return "absent";
            }
            ByteBufferAccessor in = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
            message.read(in, version);
            if (in.remaining() != 0) {
                return in.remaining() + " bytes are left";
            }
            ObjectSerializationCache cache = new ObjectSerializationCache();
            ByteBuffer again = ByteBuffer.allocate(message.size(cache, version));
            message.write(new ByteBufferAccessor(again), cache, version);
            again.flip();
            byte[] found = new byte[again.remaining()];
            again.get(found);
            return java.util.Arrays.equals(found, bytes) ? "ok" : "encoded again: " + HexFormat.of().formatHex(found);
        } catch (ClassNotFoundException e) {
            return "absent";
        } catch (Throwable e) {
            return e.toString().replace('\n', ' ');
        }
    }
}
