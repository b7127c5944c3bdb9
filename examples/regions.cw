# One workflow for a region, called for each region; tasks shared through an import.

import "lib/notify.cw" as notify

workflow regional {
  doc = "Report for one region."

  param region: string
  param threshold: float = 0.5

  defaults { image = "ghcr.io/acme/report:3" }

  step query {
    in  region
    out rows: file
    run = """query --region "$region" --out "$rows" """
  }

  step report {
    in  rows = query.rows
    in  threshold
    out page: file
    out alerts: int
    run = """report --threshold "$threshold" --out "$page" --alerts-out "$alerts" "$rows" """
  }

  out page   = report.page
  out alerts = report.alerts
}

workflow regions {
  doc = "Reports of all regions, and a word to the team when any of them has alerts."

  for r in [
    { name = "eu-west", threshold = 0.4 },
    { name = "us-east", threshold = 0.6 },
    { name = "ap-south", threshold = 0.5 },
  ] {
    step one = regional(region = r.name, threshold = r.threshold)
  }

  if sum(one.alerts) > 0 {
    step tell = notify.message(text = "${sum(one.alerts)} alerts in ${len(one.alerts)} regions")
  }

  out pages = one.page
}
