# Jobs whose workers share no volume, and have something to hand over.

workflow unshared {
  volume alone { size = 1Gi }
  defaults { image = "acme/base:1" }
  step a { out x: int; mounts { "/v" = alone }; job pytorch { workers = 2; run = """echo 1 > "$x" """ } }
  step b { in f: file = "s3://b/k"; job mpi { workers = 2; run = """cat "$f" """ } }
  step c { in n = a.x; job ray { run = """echo "$n" """ } }
}
