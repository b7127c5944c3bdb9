# flags: --split-pods 4
# Values that template engines would rewrite, files, a folder and a list of files from part to part, and facts of the run.
workflow files {
  param word: string = "{{ ds }} $(date) 'quoted' \"too\" é"
  param n:    int    = 2
  step make {
    in  n
    out d: dir
    out f: file
    out parts: list<file>
    out j: json
    run = """
      mkdir "$d" "$parts"; echo "dir $n" > "$d/a"; echo "file $n" > "$f"; echo p1 > "$parts/x"; echo p2 > "$parts/y"
      printf '{"b": 1.50, "a": [null, "{{x}}"]}' > "$j"
    """
  }
  step s0 {
    in  f: file = make.f
    in  word
    out v: int
    out t: string
    out g: file
    run = """echo 1 > "$v"; printf '%s' "$word" > "$t"; cat "$f" > "$g" """
  }
  step s1 {
    in  a  = s0.v
    in  b  = s0.t
    in  h  = s0.g
    in  d  = make.d
    in  ps = make.parts
    out v: int
    out t: string
    out g: file
    run = """echo $((a+1)) > "$v"; printf '%s' "$b" > "$t"; cat "$h" "$d/a" "$ps"/* > "$g" """
  }
  step s2 {
    in  a = s1.v
    in  b = s1.t
    in  h = s1.g
    in  j = make.j
    out v: int
    out t: string
    out g: file
    run = """echo $((a+1)) > "$v"; printf '%s' "$b" > "$t"; { cat "$h"; printf '%s' "$j"; } > "$g" """
  }
  step s3 {
    in  a  = s2.v
    in  b  = s2.t
    in  h  = s2.g
    in  id = workflow.run_id
    in  at = workflow.start_time
    out v: int
    out t: string
    out g: file
    run = """echo $((a+1)) > "$v"; printf '%s' "$b" > "$t"; cat "$h" > "$g"; [ -n "$at" ]; case "$id" in "" | *-run__*) exit 1 ;; esac"""
  }
  step s4 {
    in  a  = s3.v
    in  b  = s3.t
    in  h  = s3.g
    in  id = workflow.run_id
    out v: int
    out t: string
    out g: file
    run = """echo $((a+1)) > "$v"; printf '%s' "$b" > "$t"; { cat "$h"; echo end; } > "$g"; case "$id" in "" | *-run__*) exit 1 ;; esac"""
  }
  step same {
    in  id = workflow.run_id
    out ok: bool
    run = """case "$id" in "" | *-run__*) exit 1 ;; esac; echo true > "$ok" """
  }
  out v  = s4.v
  out t  = s4.t
  out g  = s4.g
  out d  = make.d
  out ps = make.parts
  out ok = same.ok
}
