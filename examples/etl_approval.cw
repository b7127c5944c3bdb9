# An ETL run that asks a person before it touches the production table.

workflow etl_approval {
  doc      = "Load to staging, compare, approve, swap; undo on failure."
  schedule = { cron = "0 6 * * *"; timezone = "America/New_York" }

  param day: string = "2026-11-20"

  defaults {
    image = "ghcr.io/acme/etl:5"
    env { DB_URL = secret("warehouse", "url") }
  }

  step load {
    in  day
    out rows: int
    run = """load-staging --day "$day" --rows-out "$rows" """
  }

  step compare {
    in  day
    in  rows = load.rows
    out drift: float
    out report: file
    run = """compare-tables --day "$day" --expect "$rows" --report "$report" --drift-out "$drift" """
  }

  if compare.drift > 0.05 {
    approve gate {
      message = "Drift is ${compare.drift} for ${day} (${load.rows} rows). Swap the tables anyway?"
      timeout = 4h
      ask verdict: string = "no" in ["yes", "no"]
      ask reason: string = ""
    }
    if gate.verdict == "no" {
      fail "swap refused: ${gate.reason}"
    }
  }

  step swap {
    in day
    after = [gate]
    lock  = "production-table"
    run = """swap-tables --day "$day" """
  }

  on failure {
    step restore { in day; run = """drop-staging --day "$day" """ }
  }
}
