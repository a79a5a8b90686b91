"""The brokers behind `streamal.ports.Broker`: Kafka over two client libraries, and one in memory.

May import `streamal.ports` and `streamal.errors`; kafka-python only in `streamal.broker.kafka`,
confluent-kafka only in `streamal.broker.librdkafka`. What both need lies here, and nothing here
loads a client library.
"""
