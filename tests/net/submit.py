#!/usr/bin/env python3
"""couler submit: against a scripted Argo Server that lets the engine's own controller run what it is given, and a scripted kubectl."""
import json
import os
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tally import done, ok  # noqa: E402

COULER, ARGO_RUN = os.path.abspath(sys.argv[1]), os.environ["ARGO_RUN"]
TOKEN = "Bearer secret-0123456789"


class Server:
    """api/v1 of an Argo Server: objects by kind and name; what runs is run by argo-run at the first question for it."""

    def __init__(self, tmp, context=None):
        self.tmp, self.objects, self.log, self.fault = tmp, {}, [], None
        me = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *a):
                pass

            def answer(self):
                n = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(n)) if n else None
                me.log.append((self.command, self.path, body, dict(self.headers)))
                code, what = me.fault or me.reply(self.command, self.path.split("?")[0], body, self.headers.get("Authorization"))
                data = what if isinstance(what, bytes) else json.dumps(what).encode()
                self.send_response(code)
                self.send_header("Content-Type", "text/html" if data[:1] == b"<" else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = answer

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *a):                              # a client that does not trust it goes away
                pass

        self.http = Quiet(("127.0.0.1", 0), Handler)
        if context:                                                  # the handshake in the thread of the request, not in that of all
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.at = "127.0.0.1:%d" % self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def reply(self, method, path, body, token):
        if token != TOKEN:
            return 401, {"code": 16, "message": "token not valid"}
        part = path.split("/api/v1/")[1].split("/")
        kind, name = part[0], part[2] if len(part) > 2 else None
        if method == "GET":
            o = self.objects.get((kind, name))
            return (200, self.seen(o) if kind == "workflows" else o) if o else (404, {"code": 5, "message": "%s \"%s\" not found" % (kind, name)})
        o = body[{"workflows": "workflow", "workflow-templates": "template", "cron-workflows": "cronWorkflow"}[kind]]
        if method == "PUT":
            if o["metadata"].get("resourceVersion") != self.objects[kind, name]["metadata"]["resourceVersion"]:
                return 409, {"code": 10, "message": "the object has been modified"}
        elif name != "lint":
            if "generateName" in o["metadata"]:
                o["metadata"]["name"] = o["metadata"]["generateName"] + "x7k2p"
            if (kind, o["metadata"]["name"]) in self.objects:
                return 409, {"code": 6, "message": "already exists"}
        if name != "lint":
            o["metadata"]["resourceVersion"] = str(len(self.log))
            self.objects[kind, o["metadata"]["name"]] = o
        return 200, o

    def seen(self, w):
        """Running at the first look; then as the engine's controller left it."""
        if "status" not in w:
            w["status"] = {"phase": "Running", "progress": "0/1"}
            return w
        if w["status"]["phase"] == "Running":
            path = os.path.join(self.tmp, "posted.json")
            with open(path, "w") as f:
                json.dump({k: v for k, v in w.items() if k != "status"}, f)
            p = subprocess.run([ARGO_RUN, path], capture_output=True, text=True)
            r = json.loads(p.stdout.splitlines()[0])
            root = r["nodes"][0]
            w["status"] = {"phase": r["phase"], "progress": "1/1", "message": r.get("message", ""), "outputs": root.get("outputs", {}),
                           "nodes": {str(i): {"type": n["type"], "phase": n["phase"], "displayName": n["name"], "message": n.get("message", "")} for i, n in enumerate(r["nodes"])}}
        return w


GREET = '''
task greet {
  in  who: string
  in  n: int
  out s: string
  out size: int
  run = """printf 'hello %s, %d' "$who" "$n" > "$s"; printf %s "$who" | wc -c > "$size"; test "$n" -lt 9 """
}
workflow hello {
  param name: string
  param n: int = 3
  defaults { image = "debian:12-slim" }
  step greet = greet(who = name, n = n)
  out s    = greet.s
  out size = greet.size
}
'''
HOSTILE = "{{workflow.name}} $(HOME) $$ \\0041 {{=1+1}} é \"'\n\t;"


def run(*args, env=None, cwd=None):
    e = {k: v for k, v in os.environ.items() if not k.startswith(("ARGO_", "KUBE"))}
    e.update(env or {})
    return subprocess.run([COULER, "submit", *args], capture_output=True, text=True, env=e, cwd=cwd, timeout=300)


def server(tmp):
    s = Server(tmp)
    env = {"ARGO_SERVER": s.at, "ARGO_TOKEN": TOKEN, "ARGO_SECURE": "false", "ARGO_NAMESPACE": "ml"}
    r = run("greet.cw", "-p", "name=" + HOSTILE, "-p", "n=4", "--wait", env=env, cwd=tmp)
    ok(r.returncode == 0, "submit and wait", r.stderr)
    ok("submitted workflow hello-x7k2p in namespace ml" in r.stdout and "http://%s/workflows/ml/hello-x7k2p" % s.at in r.stdout, "what was submitted, and where to look", r.stdout)
    ok("size = %d\n" % len(HOSTILE.encode()) in r.stdout and "s = hello {{workflow.name}} $(HOME) $$ \\0041 {{=1+1}} é" in r.stdout, "hostile values arrive byte for byte", r.stdout)
    ok("Running 0/1" in r.stderr, "progress", r.stderr)
    method, path, body, headers = s.log[0]
    ok((method, path) == ("POST", "/api/v1/workflows/ml") and headers["Authorization"] == TOKEN and body["workflow"]["metadata"]["namespace"] == "ml", "the request", str(s.log[0])[:300])
    ok(TOKEN not in r.stdout + r.stderr, "the token is not shown")
    s.objects.clear()
    r = run("greet.cw", "-p", "name=x", "-p", "n=9", "-w", "-q", env=env, cwd=tmp)
    ok(r.returncode == 6 and r.stdout.startswith("hello-x7k2p\n") and "greet" in r.stderr and "failed" in r.stderr, "a run that fails", r.stdout + r.stderr)
    s.objects.clear()
    s.log.clear()
    for name, args in (("no value", ()), ("a wrong value", ("-p", "name=a", "-p", "n=four")), ("no such parameter", ("-p", "nam=a")), ("no file", None), ("another engine", ("-t", "airflow")), ("two ways", ("--context", "a", "--server", "http://b"))):
        r = run(*(() if args is None else ("greet.cw",) + args), env=env, cwd=tmp)
        ok(r.returncode == 2 and r.stderr and not s.log, "refused before anything is sent: " + name, "%d %s" % (r.returncode, r.stderr))
    r = run("greet.cw", "-p", "name=a", "--dry-run", env=env, cwd=tmp)
    ok(r.returncode == 0 and "accepted" in r.stdout and s.log[0][1] == "/api/v1/workflows/ml/lint" and not s.objects, "--dry-run", r.stdout + r.stderr)
    for again in (False, True):
        s.log.clear()
        r = run("greet.cw", "--as", "template", env=env, cwd=tmp)
        ok(r.returncode == 0 and "stored template hello" in r.stdout and [m for m, *_ in s.log] == ["GET", "PUT" if again else "POST"], "a template, %s" % ("again" if again else "new"), r.stdout + r.stderr)
    r = run("daily.cw", "--as", "cron", env=env, cwd=tmp)
    ok(r.returncode == 0 and ("cron-workflows", "daily") in s.objects, "a cron workflow", r.stdout + r.stderr)
    r = run("daily.cw", env=env, cwd=tmp)
    ok(r.returncode == 0 and ("workflows", "daily-x7k2p") in s.objects, "a scheduled workflow, now", r.stdout + r.stderr)
    s.objects.clear()
    s.log.clear()
    r = run("many.cw", "--split-steps", "5", env=env, cwd=tmp)
    kinds = [p.split("/")[3] for m, p, *_ in s.log if m == "POST"]
    ok(r.returncode == 0 and kinds[-1] == "workflows" and kinds.count("workflow-templates") == len(kinds) - 1 > 1, "a split workflow: its templates first", str(kinds) + r.stderr)
    ok(all(o["apiVersion"] == "argoproj.io/v1alpha1" for o in s.objects.values()), "objects")
    for name, code, reply, word in (("401", 401, {"code": 16, "message": "token not valid"}, "ARGO_TOKEN"), ("403", 403, {"code": 7, "message": "workflows is forbidden"}, "forbidden"),
                                    ("the engine's own words", 400, {"code": 3, "message": "templates.main: bad"}, "templates.main: bad"), ("HTML", 404, b"<html>not here</html>", "an Argo Server"),
                                    ("HTML instead of an answer", 200, b"<html>login</html>", "no JSON"), ("500", 500, {"code": 13, "message": "boom"}, "boom"), ("escapes", 400, {"message": "a\x1b[31mb"}, "a")):
        s.fault = (code, reply)
        r = run("greet.cw", "-p", "name=a", env=env, cwd=tmp)
        ok(r.returncode == 5 and word in r.stderr and TOKEN not in r.stderr and "\x1b" not in r.stderr, "fault: " + name, "%d %s" % (r.returncode, r.stderr))
    s.fault = None
    s.log.clear()
    r = run("greet.cw", "-p", "name=a", "--server", "http://%s/argo/" % s.at, env={"ARGO_TOKEN": TOKEN}, cwd=tmp)
    ok(s.log[0][1] == "/argo/api/v1/workflows/default", "a base path, the default namespace", str(s.log[:1])[:200])
    r = run("greet.cw", "-p", "name=a", env=dict(env, ARGO_SERVER="127.0.0.1:9"), cwd=tmp)
    ok(r.returncode == 5 and "127.0.0.1:9" in r.stderr, "nobody there", r.stderr)
    r = run("greet.cw", "-p", "name=a", env=dict(env, ARGO_SECURE="true"), cwd=tmp)
    ok(r.returncode == 5 and r.stderr, "TLS to a server without", r.stderr)


def certificates(tmp):
    """A server whose certificate nobody knows, made for another host: refused, unless told to take any."""
    key, crt = os.path.join(tmp, "key.pem"), os.path.join(tmp, "crt.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt, "-days", "2", "-subj", "/CN=argo", "-addext", "subjectAltName=DNS:argo.example"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    s = Server(tmp, context)
    env = {"ARGO_SERVER": s.at, "ARGO_TOKEN": TOKEN, "ARGO_NAMESPACE": "ml"}
    args = ("greet.cw", "-p", "name=a")
    for name, more in (("by itself", {}), ("a word that is not true", {"ARGO_INSECURE_SKIP_VERIFY": "1"})):
        r = run(*args, env=dict(env, **more), cwd=tmp)
        ok(r.returncode == 5 and "no trusted connection" in r.stderr and "--insecure-skip-tls-verify" in r.stderr and not s.log, "an unknown certificate is refused, " + name, "%d %s" % (r.returncode, r.stderr))
    for name, flags, more in (("--insecure-skip-tls-verify", ("--insecure-skip-tls-verify",), {}), ("ARGO_INSECURE_SKIP_VERIFY", (), {"ARGO_INSECURE_SKIP_VERIFY": "true"})):
        s.objects.clear()
        s.log.clear()
        r = run(*args, *flags, env=dict(env, **more), cwd=tmp)
        ok(r.returncode == 0 and "submitted workflow hello-x7k2p" in r.stdout and s.log[0][3]["Authorization"] == TOKEN, name, "%d %s" % (r.returncode, r.stderr))
        ok("warning: the certificate of https://%s is not checked" % s.at in r.stderr and TOKEN not in r.stderr, name + " warns", r.stderr)
    s.objects.clear()
    r = run(*args, env=dict(env, SSL_CERT_FILE=crt), cwd=tmp)
    ok(r.returncode == 5 and "no trusted connection" in r.stderr, "a known certificate of another host", r.stderr)
    r = run(*args, env=dict(env, ARGO_SECURE="false", ARGO_SERVER="127.0.0.1:9", ARGO_INSECURE_SKIP_VERIFY="true"), cwd=tmp)
    ok(r.returncode == 5 and "certificate" not in r.stderr, "plain HTTP has no certificate", r.stderr)


KUBECTL = '''#!/usr/bin/env python3
import json, os, sys
body = sys.stdin.read()
o = json.loads(body) if body.strip() else {"metadata": {"name": sys.argv[-4]}}
with open(os.path.join(os.path.dirname(__file__), "log"), "a") as f:
    print(json.dumps([sys.argv[1:], o]), file=f)
if os.environ.get("BREAK"):
    sys.exit("error: you must be logged in")
if "get" in sys.argv:
    o = {"metadata": {"name": "hello-k8s"}, "status": {"phase": "Succeeded", "outputs": {"parameters": [{"name": "s", "value": "a\\\\0173b"}]}}}
o["metadata"].setdefault("name", o["metadata"].get("generateName", "") + "k8s")
o["metadata"]["namespace"] = "team"
print(json.dumps(o))
'''


def kubectl(tmp):
    folder = os.path.join(tmp, "bin")
    os.mkdir(folder)
    path = os.path.join(folder, "kubectl")
    with open(path, "w") as f:
        f.write(KUBECTL)
    os.chmod(path, stat.S_IRWXU)
    env = {"PATH": folder + ":" + os.environ["PATH"]}
    r = run("greet.cw", "-p", "name=a", "--context", "prod", "-n", "team", "--wait", env=env, cwd=tmp)
    log = [json.loads(line) for line in open(os.path.join(folder, "log"))]
    ok(r.returncode == 0 and "submitted workflow hello-k8s in namespace team" in r.stdout and "s = a{b\n" in r.stdout, "kubectl", r.stdout + r.stderr)
    ok(log[0][0] == ["--context", "prod", "--namespace", "team", "create", "-f", "-", "-o", "json"] and log[0][1]["kind"] == "Workflow", "kubectl create", str(log[0][0]))
    ok(log[1][0][4:7] == ["get", "workflows.argoproj.io", "hello-k8s"], "kubectl get", str(log[1][0]))
    r = run("daily.cw", "--as", "cron", "--dry-run", env=env, cwd=tmp)
    log = [json.loads(line) for line in open(os.path.join(folder, "log"))]
    ok(r.returncode == 0 and log[-1][0][:2] == ["apply", "--server-side"] and log[-1][0][-1] == "--dry-run=server" and log[-1][1]["kind"] == "CronWorkflow", "kubectl apply", str(log[-1][0]) + r.stderr)
    r = run("greet.cw", "-p", "name=a", "--insecure-skip-tls-verify", env=env, cwd=tmp)
    log = [json.loads(line) for line in open(os.path.join(folder, "log"))]
    ok(r.returncode == 0 and log[-1][0][:2] == ["--insecure-skip-tls-verify", "create"] and "warning: the certificate of the cluster is not checked" in r.stderr, "kubectl and any certificate", str(log[-1][0]) + r.stderr)
    r = run("greet.cw", "-p", "name=a", env=dict(env, ARGO_INSECURE_SKIP_VERIFY="true"), cwd=tmp)
    log = [json.loads(line) for line in open(os.path.join(folder, "log"))]
    ok(r.returncode == 0 and log[-1][0][0] == "create" and "warning" not in r.stderr, "what is said of the server says nothing of kubectl", str(log[-1][0]) + r.stderr)
    r = run("greet.cw", "-p", "name=a", env=dict(env, BREAK="1"), cwd=tmp)
    ok(r.returncode == 5 and "logged in" in r.stderr and "exit code 1" in r.stderr, "kubectl that fails", r.stderr)
    r = run("greet.cw", "-p", "name=a", env={"PATH": "/nonexistent"}, cwd=tmp)
    ok(r.returncode == 5 and "ARGO_SERVER" in r.stderr and "kubectl" in r.stderr, "no way to a cluster", r.stderr)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        def write(name, text):
            with open(os.path.join(tmp, name), "w") as f:
                f.write(text)

        write("greet.cw", GREET)
        write("daily.cw", 'workflow daily {\n  schedule = "0 2 * * *"\n  defaults { image = "debian:12-slim" }\n  step a { run = """true""" }\n}\n')
        write("many.cw", "workflow many {\n  defaults { image = \"debian:12-slim\" }\n%s}\n" % "".join('  step s%d { run = """echo %d""" }\n' % (i, i) for i in range(20)))
        server(tmp)
        certificates(tmp)
        kubectl(tmp)
    return done()


sys.exit(main())
