# Submit a Spark job.
# kind: run
# tags: spark pyspark submit job cluster

task run_spark {
  in script: string = "job.py"
  image = "apache/spark:3.5.3"
  resources { cpu = 4; memory = 16Gi }
  run   = """/opt/spark/bin/spark-submit "$script" """
}

workflow use_run_spark {
  defaults { image = "python:3.12-slim" }
  step one = run_spark()
}
