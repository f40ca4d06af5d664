"""Real Apache Kafka clusters on loopback for Milena's tests; see ../README.md."""
