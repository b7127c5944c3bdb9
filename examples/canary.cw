# Roll a model out to one percent, watch it, then to all; go back by itself when the canary is bad.

workflow canary {
  doc  = "Canary release of a model server."
  lock = "rollout"

  param version: string

  defaults { image = "ghcr.io/acme/deploy:7"; service_account = "deployer" }

  step start { in version; run = """rollout --version "$version" --share 1""" }

  wait settle { for = 10m; after = [start] }

  step watch {
    in  version
    out errors: float
    out p99: duration
    after = [settle]
    run = """canary-metrics --version "$version" --errors-out "$errors" --p99-out "$p99" """
  }

  if watch.errors < 0.01 && watch.p99 < 250ms {
    step promote { in version; run = """rollout --version "$version" --share 100""" }
  } else {
    step rollback { in version; run = """rollout --version "$version" --share 0""" }
    fail "canary of ${version} refused: errors ${watch.errors}" { after = [rollback] }
  }
}
