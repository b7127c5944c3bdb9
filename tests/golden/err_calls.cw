# Calls of workflows: cycles, params, values that are not allowed.
workflow regional {
  param region: string in ["eu", "us"]
  param days: int = 7
  step a { in region; in days; out n: int = stdout; run = """echo "$days" """ }
  out n = a.n
}
workflow left { step r = right() }
workflow right { step l = left() }
workflow calls {
  step one = regional(region = "asia")
  step two = regional(days = 3)
  step three = regional(region = "eu", days = "3")
  step four = regional(region = "eu", day = 3)
  step five = regional(region = "eu") { allow_failure = true }
  step sum { in n = one.m; in k = five.n; run = """echo "$n $k" """ }
}
