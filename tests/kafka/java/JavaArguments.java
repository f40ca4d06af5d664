import java.util.ArrayList;
import java.util.List;

/** The command line that JavaProducer and JavaConsumer share with the peers in Python; ../peer.py describes it. */
final class JavaArguments {
    String bootstrap;
    final List<String> topics = new ArrayList<>();
    int count = 1000;
    int partitions = 1;
    long seed = 1;
    String acks = "all";
    double timeout = 60;

    JavaArguments(String[] args) {
        for (int at = 0; at + 1 < args.length; at += 2) {
            String value = args[at + 1];
            switch (args[at]) {
                case "--bootstrap": bootstrap = value; break;
                case "--topic": topics.add(value); break;
                case "--count": count = Integer.parseInt(value); break;
                case "--partitions": partitions = Integer.parseInt(value); break;
                case "--seed": seed = Long.parseLong(value); break;
                case "--acks": acks = value; break;
                case "--timeout": timeout = Double.parseDouble(value); break;
                default: throw new IllegalArgumentException("unknown option " + args[at]);
            }
        }
        if (bootstrap == null || topics.isEmpty() || args.length % 2 != 0) {
            throw new IllegalArgumentException("--bootstrap H:P and --topic T are needed, and a value to each option");
        }
    }
}
