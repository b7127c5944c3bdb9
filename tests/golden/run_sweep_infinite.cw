# An infinite objective is a number: it wins, and stands in the trials as text, which JSON has no number for.
task t { in x: int; out v: float; run = """case $x in 1) echo inf > $v;; 2) echo -inf > $v;; 3) echo nan > $v;; *) echo 5 > $v;; esac""" }
workflow run_sweep_infinite { sweep s = t(x = choice(3, 4, 2, 1)) { search = grid(); maximize = v; max_failed = 9 }
 sweep s2 = t(x = choice(3, 4, 2, 1)) { search = grid(); minimize = v; max_failed = 9 }
 out z = s.best.x
 out z2 = s2.best.x
 out v = s.best.v
 out t = s.trials }
