"""The two brokers behind `streamal.ports.Broker`: Kafka, and one inside the process.

May import `streamal.ports` and `streamal.errors`; kafka-python only in `streamal.broker.kafka`.
Import the broker you need from its module: nothing here loads a client library.
"""
