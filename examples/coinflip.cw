# A coin decides which branch runs; the one that ran gives the answer.

workflow coinflip {
  doc = "Flip a coin until it shows heads, at most five times."

  param seed: int = 4

  defaults { image = "python:3.12-slim" }

  loop flips {
    max = 5
    state side: string = "none"
    state n: int = seed
    while side != "heads"
    step flip {
      in  n
      out side: string = stdout
      out rest: int
      shell = python3
      run = """
        import os
        n = int(os.environ["n"])
        print("heads" if n % 3 == 0 else "tails")
        open(os.environ["rest"], "w").write(str((n * 7 + 1) % 11))
      """
    }
    next { side = flip.side; n = flip.rest }
  }

  if flips.side == "heads" {
    step answer {
      in  rounds = flips.iterations
      out text: string = stdout
      run = """echo "heads after $rounds flips" """
    }
  } else {
    step answer {
      out text: string = stdout
      run = """echo "tails all the way" """
    }
  }

  out text = answer.text
}
