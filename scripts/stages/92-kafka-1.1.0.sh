# The oldest Kafka that is tested, one node.
# timeout: 600
exec scripts/kafka_suite.sh 1.1.0
