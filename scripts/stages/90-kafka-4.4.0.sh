# The newest Kafka, one node.
# timeout: 600
exec scripts/kafka_suite.sh 4.4.0
