# Read what has come to a Kafka topic so far, and end.
# kind: load
# tags: kafka topic batch messages consume

task load_kafka_batch {
  in  topic: string = "events"
  out data: file
  image = "edenhill/kcat:1.7.1"
  env { BROKERS = config("kafka", "brokers") }
  run   = """kcat -b "$BROKERS" -t "$topic" -C -e -q > "$data" """
}

workflow use_load_kafka_batch {
  defaults { image = "python:3.12-slim" }
  step one = load_kafka_batch()
}
