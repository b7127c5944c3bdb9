#!/usr/bin/env python3
"""The IR JSON of a draft in the form that the intent checker reads (facts, version 1).

    couler compile -t ir -O0 draft.cw | facts.py draft.cw > FACTS.json
"""
import json
import re
import sys

CMP = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
NEG = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}


class Facts:
    def __init__(self, ir, text):
        self.ir, self.text = ir, text
        self.entry = next(w for w in ir["workflows"] if w["name"] == ir["entry"])
        self.defaults = {i: self.value(p.get("default")) for i, p in enumerate(self.entry.get("params", []))}
        self.nodes, self.edges, self.literals, self.names = [], [], [], {}
        self.events = {k[3:]: self.entry[k] for k in self.entry if k.startswith("on_")}

    # -- expressions
    def value(self, e):
        if not isinstance(e, dict):
            return e
        if e.get("op") == "lit":
            v = e["value"]
            return [x.get("v") if isinstance(x, dict) else x for x in v["v"]] if isinstance(v.get("v"), list) else v.get("v")
        if e.get("op") == "ref" and e.get("ref") == "param":
            return self.defaults.get(e.get("port", 0))
        if e.get("op") == "list":
            return [self.value(a) for a in e.get("args", [])]
        return None

    def refs(self, e, out=None):
        out = [] if out is None else out
        if isinstance(e, dict):
            if e.get("op") == "ref" and e.get("ref") in ("output", "status", "exit_code", "best", "state"):
                out.append((e["node"], e.get("port", 0)))
            for v in e.values():
                self.refs(v, out)
        elif isinstance(e, list):
            for v in e:
                self.refs(v, out)
        return out

    def params(self, e, out):
        if isinstance(e, dict):
            if e.get("op") == "ref" and e.get("ref") == "param":
                out.add(self.entry["params"][e.get("port", 0)]["name"])
            for v in e.values():
                self.params(v, out)
        elif isinstance(e, list):
            for v in e:
                self.params(v, out)
        return out

    def cond(self, e):
        cmps, numbers = [], []

        def walk(x, neg):
            if not isinstance(x, dict):
                return
            if x.get("op") in CMP:
                a, b = x["args"]
                va, vb = self.value(a), self.value(b)
                op, n = CMP[x["op"]], vb
                if isinstance(va, (int, float)) and vb is None:
                    op, n = FLIP[op], va
                cmps.append({"op": NEG[op] if neg else op, "number": n if isinstance(n, (int, float)) and not isinstance(n, bool) else None})
            v = self.value(x)
            if isinstance(v, (int, float)) and not isinstance(v, bool):
                numbers.append(v)
            for y in x.get("args", []):
                walk(y, neg != (x.get("op") == "not"))

        walk(e, False)
        sp = e.get("span") or [0, 0, 0]
        return {"text": self.slice(sp), "refs": ["n%d" % r for r, _ in self.refs(e)], "numbers": numbers, "cmps": cmps}

    def slice(self, sp):
        return self.text.encode()[sp[1]:sp[1] + sp[2]].decode(errors="replace") if sp and sp[0] == 1 else ""

    # -- nodes
    def attrs(self, a, node):
        v = self.value

        def num(e):
            return v(e)
        node["image"] = v(a.get("image"))
        res = {k: num(a.get(k)) for k in ("cpu", "memory", "gpu", "gpu_type", "disk", "limit_cpu", "limit_memory") if k in a}
        node["resources"] = res
        if "retry" in a:
            r = a["retry"]
            node["retry"] = {k: v(r[k]) for k in ("limit", "backoff", "factor", "max_backoff", "within") if k in r}
            node["retry"]["on"] = r.get("codes") or r.get("on", "any")
            if node["retry"].get("backoff") is not None:
                node["retry"].setdefault("factor", 2)
        node["timeout"] = v(a.get("timeout"))
        if "cache" in a:
            node["cache"] = {k: a["cache"].get(k) for k in ("mode", "ttl", "version", "key")}
            node["cache"]["mode"] = a["cache"].get("mode", "auto")
        node["locks"] = [{"name": v(k["name"]), "size": k.get("size", 1)} for k in a.get("locks", [])]
        node["secrets"] = [{"name": e["ref"], "key": e.get("key"), "as": "env"} for e in a.get("env", []) + a.get("env_from", []) if e.get("kind") == "secret"]
        node["secrets"] += [{"name": m["name"], "key": None, "as": "file"} for m in a.get("mounts", []) if m.get("kind") == "secret"]
        node["mounts"] = {m["path"]: m.get("name") for m in a.get("mounts", [])}
        node["labels"] = {p["key"]: v(p["value"]) for p in a.get("labels", [])}
        node["selector"] = {p["key"]: v(p["value"]) for p in a.get("selector", [])}
        node["tolerate"] = a.get("tolerate", [])
        node["service_account"] = v(a.get("service_account"))
        node["priority"] = v(a.get("priority"))

    def task(self, t, node, ins):
        node["inputs"] = {}
        for i, d in enumerate(t.get("ins", [])):
            e = ins[i] if i < len(ins) else None
            node["inputs"][d["name"]] = {"type": d["type"], "value": self.value(e), "refs": ["n%d" % r for r, _ in self.refs(e)],
                                         "text": self.slice((e or {}).get("span"))}
        node["outputs"] = {d["name"]: d["type"] for d in t.get("outs", [])}
        text = t.get("script") or ""
        if t.get("job"):
            j = t["job"]
            node["job"] = {k: self.value(v) for k, v in j.items()}
            text += "\n" + str(j.get("run") or j.get("script") or "")
        if t.get("dataflow"):
            f = t["dataflow"]
            ops, stateful = [], []
            for o in f["ops"]:
                s = bool(o.get("uses_model")) or any(k >= 0 and stateful[k] for k in o.get("from", [])) or o is f["ops"][-1]
                stateful.append(s)
                ops.append({"name": o["name"], "from": o.get("from"), "stateful": s, "text": o.get("run")})
            w = f.get("workers") or {}
            node["dataflow"] = {"ops": ops, "framing": f.get("framing"), "workers": {"min": f.get("workers_min"), "max": f.get("workers_max"), "image": self.value(w.get("image")), "cpu": self.value(w.get("cpu"))}}
        node["text"] = text
        if not t.get("inline"):
            node["calls"] = t["name"]
        if t.get("doc") and not node.get("doc"):
            node["doc"] = t["doc"]

    def walk(self, w, nodes, parent, branch=None):
        for n in nodes:
            node = {"id": "n%d" % n["id"], "kind": n["kind"], "name": n["name"], "parent": parent, "doc": n.get("doc")}
            if branch is not None:
                node["branch"] = branch
            if n["kind"] == "call":
                node["kind"] = "group"
            self.nodes.append(node)
            a = w["attrs"][n["attrs"]] if "attrs" in n else {}
            self.attrs(a, node)
            if "task" in n:
                self.task(self.ir["tasks"][n["task"]], node, n.get("ins", []))
            node["params"] = sorted(self.params({k: n.get(k) for k in ("ins", "list", "while", "message", "branches", "to")}, set()) | self.params(a, set()))
            node["allow_failure"] = bool(n.get("allow_failure"))
            kind = n["kind"]
            flat = {k: v for k, v in n.items() if k not in ("body", "branches", "ports")}
            for r, _ in self.refs(flat):
                if r != n["id"]:
                    self.edges.append(["n%d" % r, node["id"]])
            for x in n.get("after", []):
                self.edges.append(["n%d" % x["node"], node["id"]])
            if kind == "if":
                node["branches"] = [{"cond": self.cond(b["cond"]) if "cond" in b else None} for b in n["branches"]]
                for b in n["branches"]:
                    for r, _ in self.refs(b.get("cond")):
                        self.edges.append(["n%d" % r, node["id"]])
                for i, b in enumerate(n["branches"]):
                    self.walk(w, b["body"], node["id"], i)
            elif kind == "for":
                lst = n["list"]
                vals = self.value(lst)
                if lst.get("op") == "call" and isinstance(lst.get("args"), list):
                    vals = None
                kindof = "runtime" if self.refs(lst) else "param" if self.params(lst, set()) else "static"
                node["over"] = {"kind": kindof, "values": vals, "count": len(vals) if isinstance(vals, list) else None, "text": self.slice(lst.get("span")), "refs": ["n%d" % r for r, _ in self.refs(lst)]}
                node["max_parallel"] = self.value(n.get("max_parallel"))
                self.walk(w, n["body"], node["id"])
            elif kind == "loop":
                node["max"] = n.get("max")
                node["cond"] = self.cond(n["while"]) if "while" in n else None
                self.walk(w, n["body"], node["id"])
            elif kind == "sweep":
                s = n["sweep"]
                b = s["body"][0]
                if "task" in b:
                    self.task(self.ir["tasks"][b["task"]], node, b.get("ins", []))
                for r, _ in self.refs(b.get("ins", [])):
                    if r != n["id"]:
                        self.edges.append(["n%d" % r, node["id"]])
                node["params"] = sorted(set(node["params"]) | self.params(b.get("ins", []), set()))
                node["space"] = {d["name"]: {"dist": d["kind"], **({"values": [c["v"] for c in d["choice"]]} if "choice" in d else {"lo": d.get("lo", 0), "hi": d.get("hi", 0), "by": d.get("by")})} for d in s["space"]}
                outs = self.ir["tasks"][b["task"]].get("outs", [])
                node.update({"search": s["search"], "trials": len(s["table"]) if s["search"] == "grid" and "table" in s else s.get("trials"), "seed": s.get("seed", 0), "objective": "minimize" if s.get("minimize") else "maximize",
                             "metric": outs[s.get("objective", 0)]["name"] if outs else None, "max_parallel": self.value(s.get("max_parallel")), "max_failed": s.get("max_failed"),
                             "goal": s.get("goal"), "factor": s.get("factor"), "min": s.get("min"), "max": s.get("max")})
            elif kind == "wait":
                node["for"] = n.get("seconds")
                node["every"] = n.get("every")
                if "poll" in n:
                    self.task(self.ir["tasks"][n["poll"]], node, n.get("ins", []))
            elif kind == "service":
                node["port"] = n.get("port")
            elif kind == "fail":
                node["text"] = json.dumps(n.get("message"))
            elif kind == "approve":
                node["text"] = self.slice((n.get("message") or {}).get("span"))
            elif kind in ("call", "group"):
                self.walk(w, n.get("body", []), node["id"])

    def literal(self, x):
        if isinstance(x, dict):
            if x.get("type") == "string" and isinstance(x.get("v"), str):
                self.literals.append(x["v"])
            for v in x.values():
                self.literal(v)
        elif isinstance(x, list):
            for v in x:
                self.literal(v)

    def make(self):
        w = self.entry
        self.walk(w, w.get("body", []), None)
        for ev in ("success", "failure", "exit"):
            body = w.get("on_" + ev)
            if body:
                ident = "on_" + ev
                self.nodes.append({"id": ident, "kind": "on", "event": ev, "name": "on " + ev, "parent": None})
                self.walk(w, body, ident)
        self.literal(self.ir["workflows"])
        s = w.get("schedule")
        code = re.sub(r"(?m)^\s*#.*$", "", self.text)
        settings = {k: self.value(w.get(k)) if isinstance(w.get(k), dict) else w.get(k) for k in ("max_parallel", "timeout", "fail_fast", "keep", "artifacts")}
        settings["lock"] = self.value(w["locks"][0]["name"]) if w.get("locks") else None
        settings["labels"] = {p["key"]: self.value(p["value"]) for p in w.get("labels", [])}
        notes = [" ".join(x.lstrip("# ").strip() for x in m.splitlines()) for m in re.findall(r"(?m)(?:^\s*#.*\n)+", self.text)]
        return {"facts": 1, "outcome": "program", "workflow": w["name"], "doc": w.get("doc"), "notes": notes, "source": code, "literals": self.literals,
                "schedule": None if not s else {"crons": s["cron"], "timezone": s.get("timezone"), "overlap": s.get("overlap"), "catchup": s.get("catchup"), "deadline": s.get("deadline"), "keep_runs": s.get("keep_runs")},
                "params": [{"name": p["name"], "type": p["type"], "default": self.value(p.get("default")), "required": "default" not in p, "choices": self.value(p.get("in")) if p.get("in") else None} for p in w.get("params", [])],
                "settings": settings, "volumes": w.get("volumes", []), "outputs": [o["name"] for o in w.get("outs", [])], "nodes": self.nodes, "edges": self.edges}


if __name__ == "__main__":
    print(json.dumps(Facts(json.load(sys.stdin), open(sys.argv[1], encoding="utf-8").read()).make()))
