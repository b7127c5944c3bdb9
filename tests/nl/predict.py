#!/usr/bin/env python3
"""search = llm against a scripted endpoint: predict.py COULER

What is predicted chooses and orders the trials; what does not hold is left out; without a reply that holds the sweep runs
what a random search of the same seed runs, and says so. Last line: `N passed, N failed`.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
from endpoint import Endpoint, chat  # noqa: E402
from tally import done, ok  # noqa: E402

COULER = os.path.abspath(sys.argv[1])
TMP = tempfile.mkdtemp()
KEY = "sk-test-0123456789abcdefghij"

WORKFLOW = '''task train {
  in lr: float
  in depth: int
  out %(metric)s: float
  run = """echo run >> %(tmp)s/ran; awk -v l="$lr" -v d="$depth" 'BEGIN { print %(sign)s(1 - (log(l) + 4) ^ 2 / 20 - (d - 6) ^ 2 / 50) }' > "$%(metric)s" """
}
workflow tune {
  sweep best = train(lr = %(lr)s, depth = choice(2, 4, 6, 8)) {
    search = %(search)s
    %(goal)s = %(metric)s
  }
  out lr = best.best.lr
  out trials = best.trials
}
'''
CARDS = 'llm(trials = %d, data_card = "Tabular, 10k \\"rows\\".", model_card = "Boosted trees.")'


def workflow(search, minimize=False, lr="log_uniform(1e-4, 1)"):
    path = os.path.join(TMP, "w.cw")
    with open(path, "w", encoding="utf-8") as f:
        f.write(WORKFLOW % {"tmp": TMP, "metric": "loss" if minimize else "auc", "sign": "-" if minimize else "", "goal": "minimize" if minimize else "maximize", "search": search, "lr": lr})
    return path


def run(path, url=None, env=None, more=(), fresh=True, code=0):
    e = {k: v for k, v in os.environ.items() if not k.startswith(("COULER_LLM", "OPENAI"))}
    if url:
        e.update(COULER_LLM_URL=url, COULER_LLM_MODEL="scripted", COULER_LLM_API_KEY=KEY)
    e.update(env or {})
    cache, out, ran = os.path.join(TMP, "cache"), os.path.join(TMP, "out.json"), os.path.join(TMP, "ran")
    for p in [out, ran] + ([cache] if fresh else []):
        shutil.rmtree(p) if os.path.isdir(p) else os.path.exists(p) and os.unlink(p)
    t = time.time()
    r = subprocess.run([COULER, "run", path, "--cache", cache, "--outputs-json", out, *more], capture_output=True, text=True, env=e, timeout=600, stdin=subprocess.DEVNULL)
    r.seconds = time.time() - t
    r.ran = len(open(ran).readlines()) if os.path.exists(ran) else 0
    ok(r.returncode == code, "exit of " + path, "%d %s" % (r.returncode, r.stderr))
    r.trials = json.load(open(out))["outputs"].get("trials") if os.path.exists(out) and not code else None
    r.trials = r.trials["value"] if isinstance(r.trials, dict) else r.trials
    return r


def with_endpoint(script, path, **kw):
    s = Endpoint(script)
    try:
        r = run(path, url=s.url, **kw)
        r.requests = s.requests
        return r
    finally:
        s.close()


def asked(request):
    return json.loads(request["body"]["messages"][1]["content"])["configurations"]


def truth(p):
    import math
    return 1 - (math.log(p["lr"]) + 4) ** 2 / 20 - (p["depth"] - 6) ** 2 / 50


def log_of(value):
    return [{"epoch": 1, "loss": 2.0, "metric": value - 0.2}, {"epoch": 2.5, "loss": 1.0, "metric": value}, {"epoch": 3, "metric": value - 0.1}]


def answer(configurations, value=truth, **change):
    """A reply; change: by id, what stands in its place (None: nothing)."""
    out = []
    for c in configurations:
        t = {"id": c["id"], "params": c["params"], "log": log_of(value(c["params"]))}
        t = change.get("id%d" % c["id"], t)
        if t is not None:
            out.append(t)
    return chat(json.dumps({"trials": out}))


def configurations(path):
    """What would be asked, from a first run against an endpoint that refuses."""
    r = with_endpoint([chat("no")], path)
    return [asked(q) for q in r.requests[:4] if len(q["body"]["messages"]) == 2]


def args(r):
    return [t["args"] for t in r.trials]


def choosing(path, random):
    pool = configurations(path)
    ok(len(pool) == 1 and len(pool[0]) == 16 and [c["id"] for c in pool[0]] == list(range(16)), "four are predicted for one that runs", pool)
    ok([c["params"] for c in pool[0][:4]] == random, "the first of them are those of random", random)
    r = with_endpoint([answer(pool[0])], path)
    order = sorted(pool[0], key=lambda c: -truth(c["params"]))
    want = [c["params"] for c in order[:4]]
    if pool[0][0]["params"] not in want:
        want[3] = pool[0][0]["params"]
    ok(args(r) == want, "the best predicted run, the best first", "%s\n%s" % (args(r), want))
    ok(r.ran == 4 and len(r.requests) == 1, "one request, four runs", "%d %d" % (r.ran, len(r.requests)))
    ok([round(t["predicted"], 4) for t in r.trials] == [round(truth(p), 4) for p in want], "predicted values are the best of their logs", r.trials)
    ok("scripted predicted 16 of 16 configurations" in r.stderr and ", predicted " in r.stderr and "real runs decide" in r.stderr, "it is labelled", r.stderr)
    body = r.requests[0]["body"]
    said = json.loads(body["messages"][1]["content"])
    ok(said["data_card"] == 'Tabular, 10k "rows".' and said["model_card"] == "Boosted trees." and said["objective"] == {"name": "auc", "better": "higher"}, "the cards are sent", said)
    ok(said["space"][1] == {"name": "depth", "kind": "choice", "values": [2, 4, 6, 8]} and said["space"][0]["high"] == 1, "the space is sent", said["space"])
    ok(KEY not in r.stderr and r.requests[0]["headers"]["Authorization"] == "Bearer " + KEY, "the key is sent and not shown")
    again = run(path, url="http://127.0.0.1:9/v1", fresh=False)
    ok("nothing was predicted" in again.stderr, "a reply is kept for its endpoint alone", again.stderr)
    s = Endpoint([answer(pool[0])])
    first = run(path, url=s.url)
    second = run(path, url=s.url, fresh=False)
    third = run(path, url=s.url, fresh=False, more=["--no-cache"])
    s.close()
    ok(len(s.requests) == 2 and args(first) == args(second) == args(third), "the next run asks nobody and runs the same, --no-cache asks again", len(s.requests))
    wrong = with_endpoint([answer(pool[0], lambda p: -truth(p))], path)
    ok(pool[0][0]["params"] in args(wrong), "the first draw runs whatever is predicted", args(wrong))
    best = max(wrong.trials, key=lambda t: t["outputs"]["auc"])
    ok("is trial %d: auc = %.6g" % (best["trial"], best["outputs"]["auc"]) in wrong.stderr, "real runs decide", wrong.stderr)
    return pool[0]


def minimizing():
    path = workflow(CARDS % 4, minimize=True)
    pool = configurations(path)[0]
    r = with_endpoint([answer(pool, lambda p: -truth(p))], path)
    least = min(pool, key=lambda c: -truth(c["params"]))["params"]
    ok(args(r)[0] == least, "lower is better", args(r))
    low = min(log_of(-truth(least)), key=lambda e: e["metric"])["metric"]
    ok(abs(r.trials[0]["predicted"] - low) < 1e-9, "the best of a log is its least", r.trials[0])


def partly(path, pool):
    def bad(k, **change):
        return dict({"id": pool[k]["id"], "params": pool[k]["params"], "log": log_of(9.0)}, **change)
    cases = [("an id that was not asked for", bad(5, id=77)), ("an id that is no number", bad(5, id="5")), ("parameters out of their range", bad(5, params={"lr": 50, "depth": 6})),
             ("parameters of another configuration", bad(5, params=pool[6]["params"])), ("a parameter left out", bad(5, params={"lr": pool[5]["params"]["lr"]})), ("no parameters", bad(5, params=None)),
             ("no log", bad(5, log=[])), ("a log that is text", bad(5, log="0.9")), ("epochs that fall", bad(5, log=[{"epoch": 2, "metric": 9}, {"epoch": 1, "metric": 9}])),
             ("an epoch twice", bad(5, log=[{"epoch": 1, "metric": 9}, {"epoch": 1, "metric": 9}])), ("an epoch below zero", bad(5, log=[{"epoch": -1, "metric": 9}])), ("a metric that is text", bad(5, log=[{"epoch": 1, "metric": "9"}])),
             ("a loss that is text", bad(5, log=[{"epoch": 1, "metric": 9, "loss": "low"}])), ("a log of 2,000 entries", bad(5, log=[{"epoch": k, "metric": 9} for k in range(2000)])), ("a trial that is a number", 5)]
    for name, step in cases:
        r = with_endpoint([answer(pool, id5=step)], path)
        ok("predicted 15 of 16" in r.stderr and pool[5]["params"] != args(r)[0], "left out: " + name, r.stderr)
    r = with_endpoint([answer(pool + [pool[5]], id5=bad(5))], path)
    ok("predicted 15 of 16" in r.stderr and "given twice" in r.stderr, "left out: an id that is given twice", r.stderr)
    r = with_endpoint([answer(pool[:3])], path)
    ok("predicted 3 of 16" in r.stderr and "fewer trials" in r.stderr and len(args(r)) == 4, "some are missing: what was drawn fills up", r.stderr)
    rounded = [dict(c, params=dict(c["params"], lr=float("%.3g" % c["params"]["lr"]))) for c in pool]
    ok("predicted 16 of 16" in with_endpoint([answer(rounded)], path).stderr, "rounded parameters are the same ones")
    text = json.loads(answer(pool)["json"]["choices"][0]["message"]["content"])
    for name, reply in [("a fence", "Here:\n```json\n%s\n```\nGood luck!" % json.dumps(text)), ("thinking aloud", "<think>{\"trials\": []} or {</think>\n" + json.dumps(text))]:
        ok("predicted 16 of 16" in with_endpoint([chat(reply)], path).stderr, "the object in " + name)


def nothing(path, pool, random):
    def falls_back(name, r, word, n=None):
        ok("nothing was predicted" in r.stderr and "random(trials = 4, seed = 0)" in r.stderr and word in r.stderr, "fallback said: " + name, r.stderr)
        ok(args(r) == random and r.ran == 4 and "predicted" not in r.trials[0], "fallback runs what random runs: " + name, args(r))
        ok(n is None or len(r.requests) == n, "requests: " + name, len(getattr(r, "requests", [])))
        ok(KEY not in r.stderr + r.stdout, "no key: " + name)
        ok(r.seconds < 20, "time: " + name, r.seconds)
    falls_back("not configured", run(path), "COULER_LLM_URL")
    falls_back("no model", run(path, env={"COULER_LLM_URL": "http://127.0.0.1:9/v1"}), "COULER_LLM_MODEL")
    falls_back("down", run(path, url="http://127.0.0.1:9/v1"), "127.0.0.1")
    falls_back("quiet", run(path, more=["-q"]), "COULER_LLM_URL")
    falls_back("plain http to another machine", run(path, url="http://llm.example/v1"), "http")
    falls_back("a time-out of words", run(path, url="http://127.0.0.1:9/v1", env={"COULER_LLM_TIMEOUT": "soon"}), "number of seconds")
    refusal = {"json": {"choices": [{"message": {"role": "assistant", "content": "", "refusal": "I cannot help with that."}, "finish_reason": "stop"}]}}
    same = json.dumps({"trials": [{"id": c["id"], "params": c["params"], "log": [{"epoch": 1, "metric": 0.5}]} for c in pool]})
    nan = json.dumps({"trials": [{"id": c["id"], "params": c["params"], "log": [{"epoch": 1, "metric": float("nan")}]} for c in pool]})
    for name, step, word, n in [
            ("prose", chat("I cannot know that."), "no JSON object", 2), ("an empty object", chat("{}"), "no list of trials", 2), ("an empty list", chat('{"trials": []}'), "fewer trials", 2),
            ("a list of numbers", chat('{"trials": [1, 2, 3]}'), "an id", 2), ("broken JSON", chat('{"trials": [{"id": 0, }]}'), "no JSON object", 2), ("NaN", chat(nan), "no JSON object", 2),
            ("deep JSON", chat('{"trials":' + "[" * 5000 + "]" * 5000 + "}"), "no JSON object", 2), ("other parameters", chat(json.dumps({"trials": [dict(c, params={"lr": 5, "depth": 6}, log=log_of(0.5)) for c in pool]})), "not asked for", 2),
            ("all the same", chat(same), "the same for every configuration", 1), ("a reply that breaks off", chat('{"trials": [{"id": 0, "par', "length"), "no JSON object", 2),
            ("refusal", refusal, "refused", 1), ("empty", chat(""), "no text", 1), ("HTML", {"bytes": b"<html>login</html>", "headers": {"Content-Type": "text/html"}}, "HTML", 1),
            ("invalid UTF-8", {"bytes": b'{"choices":[{"message":{"content":"\xff"}}]}'}, "UTF-8", 1), ("401", {"status": 401, "json": {"error": {"message": "bad key " + KEY}}}, "look at the key", 1),
            ("no money", {"status": 429, "json": {"error": {"code": "insufficient_quota", "message": "no money"}}}, "no money", 1), ("redirect", {"status": 302, "headers": {"Location": "https://elsewhere.example/"}}, "redirects are not followed", 1)]:
        falls_back(name, with_endpoint([step], path), word, n)
    falls_back("a time-out", with_endpoint([{"delay": 8, "json": {}}], path, env={"COULER_LLM_TIMEOUT": "1"}), "")
    r = with_endpoint([chat("no"), answer(pool)], path)
    last = r.requests[1]["body"]["messages"]
    ok("predicted 16 of 16" in r.stderr and [m["role"] for m in last] == ["system", "user", "assistant", "user"] and "cannot be used" in last[3]["content"], "a reply that does not hold is asked for again", r.stderr)
    r = with_endpoint([{"reset": True}, answer(pool)], path)
    ok("predicted 16 of 16" in r.stderr, "a reset connection is tried again", r.stderr)
    r = with_endpoint([answer(pool)], path, more=["-n"])
    ok(not r.requests and "a dry run asks nobody" in r.stderr and r.ran == 0, "a dry run asks nobody", r.stderr)


def sizes():
    path = workflow(CARDS % 16)
    pools = configurations(path)
    ok([c["id"] for c in sum(pools, [])] == list(range(16)) or len(pools) == 4, "64 configurations in requests of 16", [len(p) for p in pools])
    r = with_endpoint([answer(p) for p in pools], path)
    ok(len(r.requests) == 4 and "predicted 64 of 64" in r.stderr and len(args(r)) == 16, "64 are predicted for 16", r.stderr)
    r = with_endpoint([answer(pools[0]), answer(pools[1]), {"status": 401, "json": {}}], path)
    ok(len(r.requests) == 3 and "predicted 32 of 64" in r.stderr, "an endpoint that fails half-way: what came counts", r.stderr)
    path = workflow(CARDS % 100)
    r = with_endpoint([chat("no")], path)
    ok(len(r.trials) == 100 and len(r.requests) == 8, "100 trials: 64 are asked for", "%d %d" % (len(r.trials), len(r.requests)))
    path = workflow(CARDS % 3, lr="choice(0.1, 0.01)")
    pool = configurations(path)[0]
    r = with_endpoint([answer(pool)], path)
    distinct = {json.dumps(c["params"], sort_keys=True) for c in pool}
    ok(len({json.dumps(a, sort_keys=True) for a in args(r)}) == min(3, len(distinct)), "no configuration twice while there are others", args(r))


def interrupted(path):
    s = Endpoint([{"delay": 30, "json": {}}])
    e = dict(os.environ, COULER_LLM_URL=s.url, COULER_LLM_MODEL="scripted")
    p = subprocess.Popen([COULER, "run", path, "--cache", os.path.join(TMP, "cache2")], stderr=subprocess.PIPE, text=True, env=e)
    until = time.time() + 20
    while not s.requests and time.time() < until:
        time.sleep(0.05)
    t = time.time()
    p.send_signal(signal.SIGINT)
    err = p.communicate(timeout=600)[1]
    ok(p.returncode == -signal.SIGINT and time.time() - t < 5 and "language model was asked" in err, "an interrupt does not wait for the reply", "%d %s" % (p.returncode, err))
    s.close()


def tidied(path, pool):
    with_endpoint([answer(pool)], path)
    cache = os.path.join(TMP, "cache")
    kept = [os.path.join(cache, "predicted", n) for n in os.listdir(os.path.join(cache, "predicted"))]

    def gc(*more):
        p = subprocess.run([COULER, "cache", "gc", "--cache", cache, *more], capture_output=True, text=True)
        ok(p.returncode == 0, "gc " + " ".join(more), p.stderr)
        return [os.path.exists(k) for k in kept]

    old = time.time() - 31 * 86400
    ok(len(kept) == 1 and gc() == [True], "gc leaves a reply that is new", kept)
    os.utime(kept[0], (old, old))
    ok(gc("-n") == [True] and os.stat(kept[0]).st_mtime == old, "gc -n only says what would go")
    ok(gc() == [False], "gc drops a reply that no run read for long")
    ok(gc("--max-age", "1h") == [False], "gc of what is gone")


def main():
    random = args(run(workflow("random(trials = 4)")))
    path = workflow(CARDS % 4)
    pool = choosing(path, random)
    partly(path, pool)
    nothing(path, pool, random)
    tidied(path, pool)
    interrupted(path)
    minimizing()
    sizes()
    shutil.rmtree(TMP, ignore_errors=True)
    sys.exit(done())


main()
