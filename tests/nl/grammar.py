#!/usr/bin/env python3
"""The grammars that `couler nl --grammar` prints, in the parsers they are for: GBNF in llama.cpp, Lark in llguidance.

Then `couler nl` against llama.cpp's own server, with a model that knows pairs of bytes: what is right in what it writes is the grammar's doing.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import tiny_model  # noqa: E402
from llama import Llama  # noqa: E402
from llguidance import LLMatcher, LLTokenizer  # noqa: E402
from tally import done, ok  # noqa: E402

COULER = os.path.abspath(sys.argv[1])
TMP = tempfile.mkdtemp()
MODEL = os.path.join(TMP, "tiny.gguf")

# What the files do not hold: comments at odd places, quotes, interpolation, separators, words that are keywords elsewhere.
RIGHT = [
    "", "# only a comment", "\n\n  # a\n", "\ufeffworkflow w { }\n", "workflow w { }\r\n", "workflow w {\n}\n# end",
    "workflow w { step a { run = '''x''' }; step b { run = '''y''' } }",
    "workflow w {\n  for = 20s\n  step a { if = 1 } # tail\n}\n",
    'workflow w { let a = "x" }', 'workflow w { let a = "" }', 'workflow w { let a = "$" }', 'workflow w { let a = "cost $5 $$" }', 'workflow w { let a = "a\\n\\"\\u{1F600}\\$" }',
    'workflow w { let a = "${b}" }', 'workflow w { let a = "x ${ b.c } y ${"in ${d}"} # no comment" }', 'workflow w { let a = "$${b}$" }', 'workflow w { let a = "\u00e9\u6bcf\U0001f600" }',
    'workflow w { let a = """"x" said """ }', 'workflow w { let a = """ends with a quote"""" }', "workflow w { let a = '''''' }", 'workflow w { let a = """\n# ``` ${x} "" \' \\ \n""" }',
    "workflow w { let a = 1 +\n  2 # sum\n  let b = a ??\n null }", "workflow w { let a = [\n 1,\n # one\n 2,\n] }", "workflow w { let a = (\n1\n) }", "workflow w { let a = f(x = 1\n y = 2; z) }",
    "workflow w { let a = x>=0.9&&!y||-z<1e-4 }", "workflow w { let a = x in [1, 2] ? b : c }", "workflow w { let a = 1h30m; let b = 1.5Gi; let c = 0.4ms; let d = 10KB }",
    "workflow w { if a > 1 { } else if b { } else { } }", "workflow w { if a { }\n  # between\n  else { } }",
    "workflow w { param n: list<int>? = [1] in [[1], [2]] }", 'task t { in x: file named "a.bam" to "s3://b" at "{.c}" }', "workflow w { defaults = { retry = 2 } }",
    "workflow w { loop l { max = 3; state v: float = 0.0; while v < 1; next { v = s.v } } }", "workflow w { sweep t = m.f(lr = log_uniform(1e-4, 1e-1)) { search = grid() } }",
    "workflow w { on failure { step a { command = [\"x\"] } } }", "workflow w { step a { after = [b?, c] } }",
]
WRONG = [
    "workflow w {", "workflow { }", "workflow w { } }", "steps:\n  - name: load\n", "workflow w { step a }", "workflow w { step a { cpu: 4 } }", "workflow w { let a = 1 and 2 }",
    "workflow w { when x > 1 { } }", "workflow w { if x > 1 { } elif y { } }", "workflow w { if x = 1 { } }", "workflow w { on event failure { } }", "workflow w { step a { memory = 8Gigs } }",
    "task t { out auc: number }", 'workflow w { let a = "open }\n}', 'workflow w { let a = """open }', "workflow w { let a = [1 2] }", "workflow w { let a = f(1 }", "workflow w { let a = 01 }",
    "workflow w { let a = .5 }", "workflow w { let a = 1..2 }", "workflow w { let a = 'x' }", "workflow w { step a { } step b { } }", "workflow w { for x [1] { } }", "workflow w { forx in y { } }",
    "workflow w { let a = b c }", "workflow w {\n let a\n = 1 }", "workflow w\n{ }", "step a { run = '''x''' }", "workflow w { import \"a\" as b }", "def f(): pass", "workflow w { let a = 1 < 2 < 3 }",
    "workflow w { let a = x && }", 'workflow w { let a = "${" }', 'workflow w { let a = "${}" }', 'workflow w { let a = "\\q" }', "workflow w { let a = 1 /* c */ }", "workflow w { step a = b }", "workflow w { let a = {1: 2} }",
]


def printed(name):
    return subprocess.run([COULER, "nl", "--grammar", name], capture_output=True, text=True, check=True).stdout


class Guidance:
    def __init__(self, grammar):
        self.tokens, self.grammar = LLTokenizer("byte"), LLMatcher.grammar_from_lark(grammar)
        error, warnings = LLMatcher.validate_grammar_with_warnings(self.grammar, self.tokens)
        ok(not error and not warnings, "llguidance takes the grammar", str(warnings))

    def accepts(self, text):
        m = LLMatcher(self.tokens, self.grammar)
        n = m.try_consume_tokens(list(text))
        return True if n == len(text) and m.is_accepting() else n


def offline(matchers):
    files = sorted(glob.glob("examples/**/*.cw", recursive=True) + glob.glob("tests/golden/**/*.cw", recursive=True) + glob.glob("grammar/lake/*.cw"))
    files = [f for f in files if subprocess.run([COULER, "fmt", f], capture_output=True).returncode == 0]     # some are goldens of errors
    ok(len(files) > 100, "files", str(len(files)))
    for name, accepts in matchers:
        for path in files:
            with open(path, "rb") as f:
                text = f.read()
            at = accepts(text)
            ok(at is True, "%s refuses %s" % (name, path), "" if at is True else repr(text[max(0, at - 40):at + 20]))
        for text in RIGHT:
            at = accepts(text.encode())
            ok(at is True, "%s refuses" % name, repr((text, at)))
        for text in WRONG:
            ok(accepts(text.encode()) is not True, "%s accepts" % name, repr(text))
    print("# grammars: %d files accepted, %d odd ones accepted, %d wrong ones refused, by %s" % (len(files), len(RIGHT), len(WRONG), " and ".join(n for n, _ in matchers)))


def parses(text):
    path = os.path.join(TMP, "x.cw")
    with open(path, "w", newline="") as f:
        f.write(text)
    r = subprocess.run([COULER, "fmt", path], capture_output=True, text=True)
    return r.returncode == 0, r.stderr


def compiler():
    """The compiler agrees on both lists: what the grammars are held against is the language."""
    for text, right in [(t, True) for t in RIGHT] + [(t, False) for t in WRONG]:
        good, why = parses(text)
        ok(good == right, "the compiler on", repr((text, why[:200])))


def server():
    import xllamacpp
    p = xllamacpp.CommonParams()
    p.model.path, p.n_ctx, p.n_parallel, p.warmup, p.cpuparams.n_threads, p.port = MODEL, 32768, 1, False, 2, 0
    s = xllamacpp.Server(p)
    url = s.listening_address + "/v1"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COULER_LLM", "OPENAI"))}
    env.update(COULER_LLM_URL=url, COULER_LLM_MODEL="tiny")
    about = "load the data and train"
    body = json.loads(subprocess.run([COULER, "nl", "--dry-run", about], capture_output=True, text=True, env=env, check=True).stdout)
    body.update(messages=[{"role": "user", "content": "x"}], max_tokens=400)
    ended, parsed = [0, 0], [0, 0]
    for constrained in (1, 0):
        if not constrained:
            del body["grammar"]
        for seed in range(12 if constrained else 3):
            q = urllib.request.Request(url + "/chat/completions", json.dumps(dict(body, seed=seed)).encode(), {"Content-Type": "application/json"})
            with urllib.request.urlopen(q, timeout=900) as r:
                choice = json.load(r)["choices"][0]
            ended[constrained] += choice["finish_reason"] == "stop"
            text = choice["message"]["content"].removeprefix("```cw\n").removesuffix("\n```")
            parsed[constrained] += choice["finish_reason"] == "stop" and parses(text)[0]
    print("# llama.cpp's server, a model of byte pairs: with the grammar %d of 12 drafts come to an end and %d of them parse, without it %d of 3 parse" % (ended[1], parsed[1], parsed[0]))
    ok(ended[1] >= 6 and parsed[1] >= 0.9 * ended[1] and parsed[0] == 0, "drafts under the grammar", "%s %s" % (ended, parsed))
    r = subprocess.run([COULER, "nl", "--explain", about], capture_output=True, text=True, env=env, timeout=900)
    ok(r.returncode in (0, 1) and "round 1: " in r.stderr and "takes no grammar" not in r.stderr and "estimated" not in r.stderr, "couler and llama.cpp's server", r.stderr[-600:])


tiny_model.write(MODEL, "grammar/lake")
llama = Llama(MODEL)
gbnf, lark = printed("gbnf"), printed("lark")
guidance = Guidance(lark)
offline([("llama.cpp", lambda text: llama.accepts(gbnf, text)), ("llguidance", guidance.accepts)])
compiler()
server()
sys.exit(done())
