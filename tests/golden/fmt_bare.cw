workflow fmt_bare {
  param a: duration = "1h30m"
  param z: size = "1Gi"
  param s: string = "1h"
  schedule { cron = "0 0 * * *"; overlap = "forbid"; deadline = "1h" }
  volume v { size = "100Gi"; mode = "rwx"; class = "fast" }
  timeout = "6h"
  defaults { cache = "off"; retry { limit = 1; backoff = "10s"; on = "any" } }
  step b { in a; in z; in s; env { timeout = "2h"; mode = "rwx" }; labels { size = "1Gi" }; resources { memory = "16Gi"; gpu_type = "1h" }; shell = "bash"; run = """true""" }
  wait x { for = "20s" }
}
