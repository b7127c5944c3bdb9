"""The network layer, the shared cache and couler push: run.py COULER OBJECTS [WORD]. Last line: N passed, N failed."""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import boto3
import tls
from web import Web, first

COULER, OBJECTS = (os.path.abspath(p) for p in sys.argv[1:3])
HERE = os.path.dirname(os.path.abspath(__file__))
BASE = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "COULER_", "SSL_", "CURL_")) and "proxy" not in k.lower()}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret/of+test"}
counts = [0, 0]


def check(ok, what, *more):
	counts[not ok] += 1
	if not ok:
		print("FAILED: %s" % what, *more, flush=True)
	return ok


def run(argv, env=None, cwd=None, timeout=60, **kw):
	return subprocess.run([str(a) for a in argv], env={**BASE, **(env or {})}, cwd=cwd, timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)


def objects(uri, what, key, *more, env=None, endpoint=None):
	r = run([OBJECTS, *(["-e", endpoint] if endpoint else []), uri, what, key, *more], env)
	return r.stderr.strip(), r.stdout


def write(path, data):
	os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
	with open(path, "wb") as f:
		f.write(data.encode() if isinstance(data, str) else data)
	return path


def read(path):
	with open(path, "rb") as f:
		return f.read()


def digest(data):
	return hashlib.sha256(data).hexdigest()


class S3:
	"""moto behind a check of signatures, with faults on demand (s3_server.py)."""

	def __init__(self, tmp):
		self.path = tmp + "/s3.log"
		port = tmp + "/s3.port"
		self.out = open(tmp + "/s3.out", "w")
		self.p = subprocess.Popen([sys.executable, HERE + "/s3_server.py", self.path, port], stdout=self.out, stderr=self.out, env=BASE)
		for _ in range(600):
			if os.path.exists(port) or self.p.poll() is not None:
				break
			time.sleep(0.1)
		self.url = "http://127.0.0.1:" + open(port).read()
		os.environ.update(KEYS)
		self.client = boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"])
		self.client.create_bucket(Bucket="bkt")
		self.forget()

	def forget(self):
		write(self.path, "")

	def log(self, method="", word=""):
		return [l for l in open(self.path).read().splitlines() if l.startswith(method) and word in l]

	def faults(self, *lines):
		write(self.path + ".faults", "".join(l + "\n" for l in lines))

	def body(self, key):
		return self.client.get_object(Bucket="bkt", Key=key)["Body"].read()

	def close(self):
		self.p.terminate()
		self.p.wait()
		self.out.close()


# ---------------------------------------------------------------- objects of a bucket


def test_s3_objects(tmp, s3):
	f = write(tmp + "/f", "hello")
	at = dict(env=KEYS, endpoint=s3.url)
	uri = "s3://bkt/pre fix"
	for key in ("a/b", "\u00fcn\u00ef +~=&?#%25", "e" * 200):
		check(objects(uri, "head", key, **at)[0] == "absent", "absent before", key)
		check(objects(uri, "put", key, f, digest(b"hello"), **at)[0] == "ok", "put", key)
		check(objects(uri, "head", key, **at) == ("ok", "5\n"), "head", key)
		check(objects(uri, "get", key, **at) == ("ok", "hello"), "get", key)
		check(s3.body("pre fix/" + key) == b"hello", "what boto3 sees", key)
	empty = write(tmp + "/empty", "")
	check(objects(uri, "put", "empty", empty, digest(b""), **at)[0] == "ok" and objects(uri, "head", "empty", **at)[1] == "0\n", "an empty object")
	check(objects(uri, "put", "../x", f, **at)[0].startswith("bad: '../x' is no key"), "a key that climbs")
	check("has changed meanwhile" in objects(uri, "put", "c", f, digest(b"x"), **at)[0] and objects(uri, "head", "c", **at)[0] == "absent", "content that is not what it was")
	check(all(l.endswith(" ok") for l in s3.log()), "every signature holds", [l for l in s3.log() if not l.endswith(" ok")])


def test_s3_who(tmp, s3):
	at = dict(endpoint=s3.url)
	s3.client.put_object(Bucket="bkt", Key="x", Body=b"1")
	e, _ = objects("s3://bkt", "get", "x", env={**KEYS, "AWS_SECRET_ACCESS_KEY": "wrong-secret"}, **at)
	check(e.startswith("refused: ") and "SignatureDoesNotMatch" in e and "no & no" in e and "wrong-secret" not in e, "a wrong secret", e)
	e, _ = objects("s3://bkt", "get", "x", env={"HOME": tmp}, **at)
	check(e.startswith("refused: ") and "AWS_ACCESS_KEY_ID" in e, "without credentials", e)
	session = {"AWS_ACCESS_KEY_ID": "ASIATEST", "AWS_SECRET_ACCESS_KEY": "other secret", "AWS_SESSION_TOKEN": "session==token", "AWS_REGION": "eu-west-1"}
	check(objects("s3://bkt", "get", "x", env=session, **at) == ("ok", "1"), "a session token")
	write(tmp + "/.aws/credentials", "[default]\naws_access_key_id = no\n\n[team]\n aws_access_key_id=AKIATEST\naws_secret_access_key = secret/of+test\n")
	write(tmp + "/.aws/config", "[profile team]\nregion = eu-central-1\n")
	check(objects("s3://bkt", "get", "x", env={"HOME": tmp, "AWS_PROFILE": "team"}, **at) == ("ok", "1"), "a profile")
	check(objects("s3://bkt", "get", "x", env={**KEYS, "AWS_ENDPOINT_URL": s3.url}) == ("ok", "1"), "AWS_ENDPOINT_URL")
	check(objects("s3://bkt", "get", "x", env={**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": s3.url}) == ("ok", "1"), "AWS_ENDPOINT_URL_S3 comes first")
	check(objects("gs://bkt", "get", "x", env=KEYS, **at) == ("ok", "1"), "Google Storage by its S3 interface")
	check(objects("s3://nosuch", "get", "x", env=KEYS, **at)[0] == "absent", "no such bucket, to read")
	f = write(tmp + "/f", "1")
	check("NoSuchBucket" in objects("s3://nosuch", "put", "x", f, env=KEYS, **at)[0], "no such bucket, to write")


def test_s3_parts(tmp, s3):
	at = dict(env=KEYS, endpoint=s3.url)
	data = os.urandom(40_000_000)
	f, sha = write(tmp + "/big", data), digest(data)
	s3.faults("PUT partNumber=2 1 503", "POST uploadId= 1 500")
	check(objects("s3://bkt", "put", "big", f, sha, **at)[0] == "ok", "parts, with a 503 and a 500 on the way")
	check(len(s3.log("PUT", "partNumber=")) == 4 and s3.body("big") == data, "only the part that failed goes again")
	out = tmp + "/out"
	check(objects("s3://bkt", "get", "big", out, sha, **at)[0] == "ok" and read(out) == data, "back again")
	s3.forget()
	e, _ = objects("s3://bkt", "put", "two", f, sha, env={**KEYS, "STOP_AT": "17000000"}, endpoint=s3.url)
	check(e.startswith("stopped"), "stopped in the second part", e)
	sent = len(s3.log("PUT", "partNumber=1&"))
	check(objects("s3://bkt", "put", "two", f, sha, **at)[0] == "ok" and s3.body("two") == data, "goes on")
	check(sent == 1 and len(s3.log("PUT", "partNumber=1&")) == 1 and len(s3.log("POST", "uploads=")) == 1, "the first part is not sent again", s3.log("PUT"))
	s3.forget()
	e, _ = objects("s3://bkt", "put", "three", f, digest(b"x"), **at)
	check(e.startswith("bad") and "changed meanwhile" in e and len(s3.log("DELETE", "uploadId=")) == 1, "content that is not what it was ends the upload", e)
	check(objects("s3://bkt", "head", "three", **at)[0] == "absent", "and nothing is there")
	s3.faults("GET /bkt/big 1 cut")
	check(objects("s3://bkt", "get", "big", out, sha, **at)[0] == "ok" and read(out) == data, "a connection that is cut")


# ---------------------------------------------------------------- a web server, and what it does wrong


def test_web(tmp):
	web = Web()
	f = write(tmp + "/f", "hello")
	check(objects(web.url, "head", "x/y")[0] == "absent", "absent")
	check(objects(web.url, "put", "x/y", f)[0] == "ok" and objects(web.url, "head", "x/y") == ("ok", "5\n"), "put, head")
	check(objects(web.url, "get", "x/y") == ("ok", "hello"), "get")
	objects(web.url, "get", "x/y", env={"COULER_REMOTE_TOKEN": "s3cr3t"})
	check(web.log[-1][2].get("Authorization") == "Bearer s3cr3t", "a token")
	web.log.clear()
	start = time.time()
	web.fault = first(1, ("status", 429, {"Retry-After": "1"}))
	check(objects(web.url, "get", "x/y") == ("ok", "hello") and time.time() - start >= 1, "429 with Retry-After")
	web.fault = first(1, ("status", 429, {"Retry-After": "100"}))
	e, _ = objects(web.url, "get", "x/y")
	check(e.startswith("unreachable") and "429" in e, "429 for longer than anybody waits", e)
	web.fault = first(2, ("status", 500))
	check(objects(web.url, "put", "x/z", f)[0] == "ok" and web.objects["/x/z"] == b"hello", "500 twice")
	web.fault = first(9, ("status", 503))
	e, _ = objects(web.url, "head", "x/y")
	check(e.startswith("unreachable") and "503" in e and "3 tries" in e, "503 for ever", e)
	web.fault = first(1, ("part", 3))
	out = tmp + "/out"
	check(objects(web.url, "get", "x/y", out, digest(b"hello"))[0] == "ok" and read(out) == b"hello", "a body that breaks off")
	web.fault = first(9, ("part", 3))
	e, _ = objects(web.url, "get", "x/y", out, digest(b"hello"))
	check(e.startswith("unreachable"), "a body that always breaks off", e)
	web.fault = first(1, ("cut",))
	check(objects(web.url, "get", "x/y")[0] == "ok", "a connection that is closed")
	web.fault = first(1, ("status", 302, {"Location": web.url + "/x/z"}))
	e, _ = objects(web.url, "get", "x/y")
	check(e.startswith("bad") and "302" in e and web.log[-1][1] == "/x/y", "a redirect is not followed", e)
	web.fault = lambda m, p: None
	web.objects["/big"] = b"x" * 2000
	check("larger than 1000 bytes" in objects(web.url, "get", "big")[0], "more than was asked for")
	check("is damaged" in objects(web.url, "get", "x/y", out, digest(b"other"))[0], "other bytes than the digest says")
	web.fault = first(9, ("stall", 12))
	start = time.time()
	e, _ = objects(web.url, "get", "x/y")
	check(e.startswith("unreachable") and time.time() - start < 30, "silence", e, time.time() - start)
	web.close()
	e, _ = objects(web.url, "get", "x/y")
	check(e.startswith("unreachable"), "nobody there", e)


def test_tls(tmp):
	pems = tls.make(tmp)
	f = write(tmp + "/f", "hello")
	for name, trusted, ok in (("good", True, True), ("good", False, False), ("other", True, False), ("expired", True, False)):
		web = Web(pems[name])
		e, _ = objects(web.url, "put", "x", f, env={"SSL_CERT_FILE": tmp + "/ca.pem"} if trusted else None)
		check((e == "ok") == ok, "certificate '%s'" % name, e)
		check(ok or (e.startswith("unreachable") and "SSL_CERT_FILE" in e and not web.objects), "and the error says what to do", e)
		web.close()


def test_folder(tmp):
	f, d = write(tmp + "/f", "hello"), tmp + "/store"
	for uri in (d, "file://" + d):
		check(objects(uri, "head", "a/b")[0] in ("absent", "ok"), "head", uri)
		check(objects(uri, "put", "a/b", f, digest(b"hello"))[0] == "ok" and read(d + "/a/b") == b"hello", "put", uri)
		check(objects(uri, "get", "a/b") == ("ok", "hello"), "get", uri)
	check("has changed meanwhile" in objects(d, "put", "a/c", f, digest(b"x"))[0], "content that is not what it was")
	check(sorted(os.listdir(d + "/a")) == ["b"], "no temporary stays", os.listdir(d + "/a"))


# ---------------------------------------------------------------- the shared cache

FLOW = '''workflow w {
  step a { out t: file; cache = on; run = """seq 1000 > "$t"; echo ran >> "%(marks)s" """ }
  step b { in t = a.t; out d: dir; out n: int; run = """mkdir -p "$d/x y"; cp "$t" "$d/x y/f"; wc -l < "$t" > "$n"; echo hi > "$d/top"; echo ran >> "%(marks)s" """ }
  step c { in d = b.d; in n = b.n; out s: string; out l: list<file>; run = """cat "$d/top" > "$s"; mkdir "$l"; echo 1 > "$l/1"; echo 2 > "$l/2"; echo ran >> "%(marks)s" """ }
}
'''


class Machine:
	"""A folder of results of its own, as another machine has."""

	def __init__(self, tmp, flow=None):
		self.n, self.tmp = 0, tmp
		self.marks = tmp + "/marks"
		self.flow = write(tmp + "/w.cw", (flow or FLOW) % {"marks": self.marks})

	def run(self, remote, env=None, fresh=True, args=()):
		"""(process, steps that ran, what --outputs-json says)"""
		self.n += fresh
		write(self.marks, "")
		out = self.tmp + "/out.json"
		if os.path.exists(out):
			os.unlink(out)
		r = run([COULER, "run", self.flow, "--cache", "%s/store%d" % (self.tmp, self.n), "--cache-remote", remote, "--outputs-json", out, *args], env, cwd=self.tmp)
		return r, read(self.marks).count(b"ran"), json.load(open(out)) if os.path.exists(out) else None


def values(doc):
	"""Outputs without paths of this machine."""
	if isinstance(doc, dict):
		return {k: values(v) for k, v in doc.items() if k not in ("path", "run", "attempts", "cached")}
	return [values(x) for x in doc] if isinstance(doc, list) else doc


def share(tmp, remote, env, what):
	m = Machine(tmp)
	r, ran, one = m.run(remote, env)
	check(r.returncode == 0 and ran == 3 and not r.stderr.count("warning"), what + ": the first runs", r.stderr)
	r, ran, two = m.run(remote, env)
	check(r.returncode == 0 and ran == 0 and r.stdout.count("reused") + r.stderr.count("reused") >= 3, what + ": the second reuses", ran, r.stderr)
	check(values(one["steps"]) == values(two["steps"]) and two["steps"]["b"]["outputs"]["n"] == "1000", what + ": with the same outputs", one, two)
	r, ran, _ = m.run(remote, env, fresh=False)
	check(r.returncode == 0 and ran == 0, what + ": and has it for itself then")


def test_share_folder(tmp):
	share(tmp, tmp + "/shared", {}, "folder")
	left = [f for _, _, fs in os.walk(tmp + "/shared") for f in fs if ".tmp" in f]
	check(not left, "no temporary stays", left)


def test_share_s3(tmp, s3):
	flow = 'store st { uri = "s3://bkt"; endpoint = "%s"; region = "eu-north-1" }\n' % s3.url
	share(tmp + "/1", "s3://bkt/cache", {**KEYS, "AWS_ENDPOINT_URL": s3.url}, "s3 by the environment")
	m = Machine(tmp + "/2", flow.replace("%", "%%") + FLOW.replace("seq 1000", "seq 1001"))
	m.run("s3://bkt/cache", KEYS)
	r, ran, _ = m.run("s3://bkt/cache", KEYS)
	check(ran == 0 and r.returncode == 0, "s3 by the workflow's store", r.stderr)


def test_share_web(tmp):
	pems = tls.make(tmp)
	web = Web(pems["good"])
	share(tmp, web.url + "/team", {"SSL_CERT_FILE": tmp + "/ca.pem"}, "https")
	web.close()


def test_share_damaged(tmp):
	shared, m = tmp + "/shared", Machine(tmp)
	m.run(shared)
	for kind, rest in (("blobs", 0), ("trees", 0), ("actions", 0)):
		d = shared + "/v1/" + kind
		for root, _, files in os.walk(d):
			for f in files:
				p = root + "/" + f
				data = read(p)
				write(p, data[:-1] + bytes([data[-1] ^ 1]))
		r, ran, doc = m.run(shared)
		check(r.returncode == 0 and ran >= 1 and "warning: the shared cache is of no use here" in r.stderr and "damaged" in r.stderr, "damaged %s" % kind, ran, r.stderr)
		check(doc["steps"]["b"]["outputs"]["n"] == "1000" and doc["status"] == "succeeded", "the run is right all the same")
		r, ran, _ = m.run(shared)
		check(ran == 0 and "warning" not in r.stderr, "what was damaged has been put again: %s" % kind, ran, r.stderr)
	for root, _, files in os.walk(shared + "/v1/blobs"):
		for f in files:
			os.unlink(root + "/" + f)
	r, ran, _ = m.run(shared)
	check(r.returncode == 0 and ran >= 1 and "warning" not in r.stderr, "an object that has gone is a miss", ran, r.stderr)
	for root, _, files in os.walk(shared + "/v1/actions"):
		files = sorted(files)
		if files:
			shutil.copy(root + "/" + files[0], tmp + "/one")
	for root, _, files in os.walk(shared + "/v1/actions"):
		for f in files:
			shutil.copy(tmp + "/one", root + "/" + f)
	r, ran, doc = m.run(shared)
	check(r.returncode == 0 and ran >= 2 and doc["steps"]["c"]["outputs"]["s"] == "hi", "a record under another's name is none", ran, r.stderr)


def test_share_trouble(tmp):
	m = Machine(tmp)
	r, ran, _ = m.run("https://127.0.0.1:1/x")
	check(r.returncode == 0 and ran == 3 and r.stderr.count("warning") == 1 and "cannot be reached" in r.stderr, "nobody there", r.stderr)
	r, ran, _ = m.run(tmp + "/no/such/folder")
	check(r.returncode == 0 and ran == 3 and "No such file" in r.stderr and not os.path.exists(tmp + "/no"), "a folder that is not mounted", r.stderr)
	web = Web()
	web.read_only = True
	r, ran, _ = m.run(web.url)
	check(r.returncode == 0 and ran == 3 and r.stderr.count("takes no results") == 1, "one that may only be read", r.stderr)
	web.read_only = False
	web.fault = lambda m, p: ("status", 401) if m == "GET" else None
	r, ran, _ = m.run(web.url)
	check(r.returncode == 0 and ran == 3 and r.stderr.count("may not be read") == 1, "one that may not be read", r.stderr)
	web.fault = lambda m, p: ("status", 500)
	start = time.time()
	r, ran, _ = m.run("http://user:pa55@" + web.url[7:] + "/?token=t0k")
	check(r.returncode == 2 and "pa55" not in r.stderr and "t0k" not in r.stderr, "a URL with a query is refused, unshown", r.stderr)
	r, ran, _ = m.run("http://user:pa55@" + web.url[7:])
	check(r.returncode == 0 and ran == 3 and r.stderr.count("warning") == 1 and "pa55" not in r.stderr and time.time() - start < 20, "errors of the server", r.stderr)
	web.close()
	for bad in ("ftp://x/y", "http://example.com/x", "s3://", "s3://a"):
		r, ran, _ = m.run(bad)
		check(r.returncode == 2 and "CW0910" in r.stderr and ran == 0, "no such place: " + bad, r.stderr)
	r, ran, _ = m.run("", {"COULER_CACHE_REMOTE": ""})
	check(r.returncode == 0 and ran == 3, "none", r.stderr)


def test_share_beside(tmp):
	"""Steps do not wait for what is sent; an interrupt ends the sending, not the run; -n asks nobody."""
	web, m = Web(), Machine(tmp)
	web.fault = lambda me, p: ("slow", 1.0) if me == "PUT" else None
	start = time.time()
	r, ran, _ = m.run(web.url)
	total, done = time.time() - start, os.path.getmtime(tmp + "/out.json") - start
	check(r.returncode == 0 and done < total - 1 and done < 3, "steps are done before all is sent", done, total)
	check("sharing" in r.stderr, "and the wait says what it is", r.stderr)
	r, ran, _ = m.run(web.url)
	check(ran == 0, "and all is there", r.stderr)
	web.log.clear()
	r, ran, _ = m.run(web.url, args=["-n"])
	check(r.returncode == 0 and not web.log, "a dry run asks nobody", web.log)
	web.objects.clear()
	web.fault = lambda me, p: ("slow", 20.0) if me == "PUT" else None
	p = subprocess.Popen([COULER, "run", m.flow, "--cache", tmp + "/int", "--cache-remote", web.url], cwd=tmp, env=BASE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
	line = ""
	while "sharing" not in line and p.poll() is None:
		line = p.stderr.readline()
	start = time.time()
	p.send_signal(signal.SIGINT)
	err = p.communicate(timeout=30)[1]
	check(p.returncode == 0 and "not shared" in err and time.time() - start < 5, "an interrupt while sharing", p.returncode, err, time.time() - start)
	web.fault = lambda me, p: ("stall", 15.0) if me == "GET" else None
	p = subprocess.Popen([COULER, "run", m.flow, "--cache", tmp + "/int2", "--cache-remote", web.url], cwd=tmp, env=BASE, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
	time.sleep(1.5)
	start = time.time()
	p.send_signal(signal.SIGINT)
	p.wait(timeout=30)
	check(p.returncode == -signal.SIGINT and time.time() - start < 5, "an interrupt while asking", p.returncode, time.time() - start)
	web.close()


def test_share_rules(tmp):
	"""ttl, --no-cache, --force, cache = off; many runs at once; a folder of many files."""
	shared = tmp + "/shared"
	m = Machine(tmp + "/1", 'workflow w { step a { out n: int; cache { ttl = 2s }; run = """echo 1 > "$n"; echo ran >> "%(marks)s" """ }\n step b { out n: int; cache = off; run = """echo 2 > "$n"; echo ran >> "%(marks)s" """ } }')
	m.run(shared)
	check(m.run(shared)[1] == 1, "within its ttl; off is off")
	check(m.run(shared, args=["--no-cache"])[1] == 2, "--no-cache")
	check(m.run(shared, args=["--force", "a"])[1] == 2, "--force")
	time.sleep(2.1)
	check(m.run(shared)[1] == 2, "past its ttl")
	flow = '''workflow w { step many { out d: dir; cache = on; run = """for i in $(seq 500); do mkdir -p "$d/$((i %% 7))"; echo $i > "$d/$((i %% 7))/f $i"; done; : > "$d/empty"; echo ran >> "%(marks)s" """ } }'''
	m = Machine(tmp + "/2", flow)
	_, _, one = m.run(shared)
	r, ran, two = m.run(shared)
	check(ran == 0 and values(one) == values(two), "a folder of 501 files", r.stderr)
	m = Machine(tmp + "/3")
	ps = [subprocess.Popen([COULER, "run", m.flow, "--cache", "%s/p%d" % (tmp, i), "--cache-remote", shared], cwd=tmp, env=BASE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for i in range(4)]
	errs = [p.communicate(timeout=60)[1] for p in ps]
	check(all(p.returncode == 0 for p in ps) and not any("warning" in e for e in errs), "four runs at once", errs)
	check(m.run(shared)[1] == 0, "and a fifth")


# ---------------------------------------------------------------- inputs at remote locations


def test_inputs(tmp, s3):
	pems = tls.make(tmp)
	web = Web(pems["good"])
	env = {**KEYS, "SSL_CERT_FILE": tmp + "/ca.pem"}
	web.objects["/d/t.csv"] = b"a,b\n1,2\n"
	web.objects["/d/moved"] = b"never"
	s3.client.put_object(Bucket="bkt", Key="in/x y", Body=b"from s3")
	sha = digest(b"a,b\n1,2\n")
	flow = '''store st { uri = "s3://bkt"; endpoint = "%s" }
task size { in f: file; out n: int; run = """wc -c < "$f" > "$n" """ }
workflow w {
  step a = size(f = "%s/d/t.csv?token=t0k")
  step b = size(f = "%s/d/t.csv?token=t0k")
  step c = size(f = "s3://bkt/in/x y")
  step d = size(f = file("%s/d/t.csv", sha256 = "%s"))
  step e { in l: list<file> = ["%s/d/moved", "s3://bkt/in/x y"]; out s: string; run = """cat "$l"/* > "$s" """ }
}
'''
	f = write(tmp + "/w.cw", flow % (s3.url, web.url, web.url, web.url, sha, web.url))

	def go(*args, file=f):
		out = tmp + "/o.json"
		r = run([COULER, "run", file, "--outputs-json", out, *args], env, cwd=tmp)
		steps = json.load(open(out))["steps"]
		return r, {k: next(iter(v["outputs"].values()), None) if v["outputs"] else None for k, v in steps.items()}, {k: v["cached"] for k, v in steps.items()}

	web.fault = first(1, ("status", 302, {"Location": "/d/t.csv"}), word="moved")
	r, got, _ = go()
	check(r.returncode == 0 and got == {"a": "8", "b": "8", "c": "7", "d": "8", "e": "a,b\n1,2\nfrom s3"}, "inputs of a server and a bucket, one of them moved", got, r.stderr)
	check(web.count("GET", "t0k") == 1, "each is fetched once a run", web.count("GET", "t0k"))
	web.log.clear()
	web.fault = first(1, ("status", 302, {"Location": "/d/t.csv"}), word="moved")
	r, got, cached = go()
	check(r.returncode == 0 and all(cached.values()), "the next run reuses", cached, r.stderr)
	check([p for _, p, _ in web.log].count("/d/t.csv") == 1 and web.count("GET", "t0k") == 1, "what is pinned is not asked for", web.log)
	web.objects["/d/t.csv"] += b"3\n"
	web.fault = first(1, ("status", 302, {"Location": "http://127.0.0.1:1/x"}), word="moved")
	r, got, _ = go()
	check(r.returncode == 6 and got["a"] == "10" and got["d"] == "8" and got["e"] is None and "302" in r.stderr, "another content; no way from https to http", got, r.stderr)
	web.fault = first(9, ("status", 404), word="t0k")
	r, got, _ = go()
	check(r.returncode == 6 and "there is no such object" in r.stderr and "t0k" not in r.stderr, "what is not there", r.stderr)
	web.fault = lambda m, p: None
	bad = write(tmp + "/b.cw", 'workflow w { step a { in f: file = file("%s/d/t.csv?token=t0k", sha256 = "%s"); run = """true""" }\nstep b { in f: file = "s3://bkt"; run = """true""" }\nstep c { in f: dir = "https://x/y"; run = """true""" }\nstep d { in f: file = "git+https://x/y#z"; run = """true""" } }\n' % (web.url, digest(b"other")))
	r, got, _ = go("-k", file=bad)
	check(r.returncode == 6 and all(w in r.stderr for w in ("was asked for", "names a bucket", "is a folder", "cannot be reached from a local run")), "what cannot be", r.stderr)
	web.close()


# ---------------------------------------------------------------- push

PUSHED = '''store st { uri = "%s"; endpoint = "%s" }
task size { in f: file; out n: int; run = """wc -c < "$f" > "$n" """ }
workflow w {
  artifacts = st
  defaults { image = "x:1" }
  param table: file = "data/table.csv"
  step a = size(f = table)
  step b = size(f = "data/table.csv")
  step c = size(f = file("data/pack.tgz", sha256 = "%s"))
  step d { in l: list<file> = ["data/table.csv", "s3://bkt/there"]; in d: dir = "folder"; out n: int; run = """ls "$l" "$d" | wc -l > "$n" """ }
  step e { code = ["run.sh", "model.bin"]; out n: int; run = """sh run.sh > "$n" """ }
}
'''


def project(tmp, uri, endpoint):
	write(tmp + "/data/table.csv", "a,b\n1,2\n")
	pack = os.urandom(3000)
	write(tmp + "/data/pack.tgz", pack)
	write(tmp + "/folder/x y/one", "1")
	write(tmp + "/folder/two", "2")
	os.symlink("two", tmp + "/folder/link")
	write(tmp + "/run.sh", "wc -c < model.bin\n")
	write(tmp + "/model.bin", bytes(range(256)) * 10)
	return write(tmp + "/p.cw", PUSHED % (uri, endpoint, digest(pack)))


def test_push_s3(tmp, s3):
	f = project(tmp, "s3://bkt/art", s3.url)
	r = run([COULER, "compile", f], KEYS)
	check(r.returncode == 0 and "couler push" in r.stderr and "6 local files" in r.stderr, "compile says that a push is due", r.stderr)
	before = r.stdout
	keys = sorted(set(re.findall(r"key: (art/couler/\S+)", before)))
	check(len(keys) == 4, "places of files, the folder and the code", keys)
	check(not s3.log("", "/art/"), "and asks nobody")
	r = run([COULER, "push", f, "-n"], KEYS)
	check(r.returncode == 0 and r.stdout.count("would push") == 6 and not s3.log("PUT", "/art/"), "a dry run", r.stdout, r.stderr)
	r = run([COULER, "push", f], KEYS)
	check(r.returncode == 0 and "6 files pushed" in r.stdout, "push", r.stdout, r.stderr)
	sha = digest(b"a,b\n1,2\n")
	check(s3.body("art/couler/files/%s/%s" % (sha[:2], sha[2:])) == b"a,b\n1,2\n" and "art/couler/files/%s/%s" % (sha[:2], sha[2:]) in keys, "a file lies under its digest")
	folder = next(k for k in keys if "/dirs/" in k)
	got = {o["Key"][len(folder) + 1:]: s3.body(o["Key"]) for o in s3.client.list_objects_v2(Bucket="bkt", Prefix=folder + "/")["Contents"]}
	check(got == {"x y/one": b"1", "two": b"2", "link": b"2"}, "the folder lies under its digest", got)
	lines = "".join("%s  %s\n" % (digest(v), k) for k, v in sorted(got.items()))
	check(folder.split("dirs/")[1].replace("/", "") == digest(lines.encode()), "which is the one that a run gives it")
	s3.forget()
	r = run([COULER, "push", f], KEYS)
	check(r.returncode == 0 and "0 files pushed" in r.stdout and "6 were there already" in r.stdout and not s3.log("PUT"), "once more sends nothing", r.stdout)
	r = run([COULER, "compile", f], KEYS)
	check(r.stdout == before and not r.stderr, "compile gives the same bytes, without a note", r.stderr)
	check(re.search(r"name: model-bin\n\s+path: /cw/code/model.bin\n(.*\n){0,8}?\s+archive:\n\s+none: {}", before), "code that is binary is fetched")
	check("wc -c < model.bin" in before, "code that is text stays readable")
	check(before.count("none: {}") >= 6, "files arrive as they are, packed or not", before.count("none: {}"))
	r = run([COULER, "compile", f, "-t", "airflow"], KEYS)
	doc = json.loads(r.stdout) if r.returncode == 0 else {}
	check(doc and doc["code"]["model.bin"]["location"].startswith("s3://bkt/art/couler/files/") and doc["code"]["run.sh"]["text"], "the same for Airflow", r.stderr)
	write(tmp + "/data/table.csv", "new\n")
	r = run([COULER, "compile", f], KEYS)
	check(r.stdout != before and "1 local file (4 B)" in r.stderr, "another content has another place", r.stderr)


ARGO = '''store st { uri = "s3://bkt/argo"; endpoint = "%s"; region = "us-east-1"; secret = "cred" }
task size { in f: file; out n: int; run = """wc -c < "$f" > "$n" """ }
workflow w {
  artifacts = st
  defaults { image = "x:1" }
  param table: file = "data/table.csv"
  step a = size(f = table)
  step c = size(f = "data/pack.tgz")
  step d { in l: list<file> = ["data/table.csv", "run.sh"]; in d: dir = "folder"; out s: string; run = """(ls "$l"; cd "$d"; find . -type f | sort; cat two "x y/one") > "$s" """ }
  step e { code = ["run.sh", "model.bin"]; out n: int; run = """sh run.sh > "$n" """ }
}
'''


def test_push_argo(tmp, s3):
	"""What was pushed is what steps get under Argo's own controller, by its own client for S3."""
	project(tmp, "s3://bkt/argo", s3.url)
	pack = subprocess.run(["tar", "czC", tmp, "data/table.csv"], stdout=subprocess.PIPE, check=True).stdout
	write(tmp + "/data/pack.tgz", pack)
	f = write(tmp + "/a.cw", ARGO % s3.url)
	secret = write(tmp + "/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: cred}\nstringData: {accessKey: AKIATEST, secretKey: secret/of+test}\n")
	r = run([COULER, "push", f, "-q"], KEYS)
	check(r.returncode == 0, "push", r.stderr)
	r = run([COULER, "compile", f, "-o", tmp + "/a.yaml"], KEYS)
	check(r.returncode == 0 and not r.stderr, "compile", r.stderr)
	r = run([os.environ["ARGO_RUN"], "-timeout", "100s", secret, tmp + "/a.yaml"], timeout=150)
	doc = json.loads(r.stdout.splitlines()[-1]) if r.stdout else {}
	got = {n["name"]: n["outputs"]["parameters"][0]["value"].replace("\\0012", "\n") for n in doc.get("nodes", ()) if (n.get("outputs") or {}).get("parameters")}
	want = {"a": "8", "c": str(len(pack)), "d": "000000\n000001\n./link\n./two\n./x y/one\n21", "e": "2560"}
	check(doc.get("phase") == "Succeeded" and got == want, "values under Argo", got, want, r.stderr[-500:])
	run([COULER, "run", f, "--outputs-json", tmp + "/o.json"], KEYS, cwd=tmp)
	local = {k: next(iter(v["outputs"].values())) for k, v in json.load(open(tmp + "/o.json"))["steps"].items()}
	check({k: v.replace("./link\n", "") for k, v in want.items()} == {k: v.replace("./link\n", "") for k, v in local.items()}, "are those of a local run", local)


def test_push_resumes(tmp, s3):
	data = os.urandom(50_000_000)
	write(tmp + "/big.bin", data)
	f = write(tmp + "/p.cw", 'store st { uri = "s3://bkt/res"; endpoint = "%s" }\nworkflow w { artifacts = st; step a { image = "x:1"; in f: file = "big.bin"; out n: int; run = """wc -c < "$f" > "$n" """ } }\n' % s3.url)
	s3.faults("PUT partNumber=3 1 stall")
	p = subprocess.Popen([COULER, "push", f], env={**BASE, **KEYS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
	for _ in range(300):
		if s3.log("PUT", "partNumber=2&") and p.poll() is None:
			break
		time.sleep(0.1)
	time.sleep(0.5)
	p.kill()
	p.wait()
	s3.faults()
	r = run([COULER, "push", f], KEYS)
	sha = digest(data)
	check(r.returncode == 0 and s3.body("res/couler/files/%s/%s" % (sha[:2], sha[2:])) == data, "a push after kill -9", r.stderr)
	check(len(s3.log("PUT", "partNumber=1&")) == 1 and len(s3.log("PUT", "partNumber=2&")) == 1, "sends what was missing", s3.log("PUT", "partNumber"))


def test_push_folder(tmp):
	f = project(tmp, "store", "")
	r = run([COULER, "push", f, "-t", "airflow", "-q"])
	check(r.returncode == 0 and r.stdout == "6 files pushed, %s; 0 were there already\n" % r.stdout.split("pushed, ")[1].split(";")[0], "a folder as a store", r.stdout, r.stderr)
	sha = digest(bytes(range(256)) * 10)
	check(read(tmp + "/store/couler/files/%s/%s" % (sha[:2], sha[2:])) == bytes(range(256)) * 10, "holds what was pushed")
	r = run([COULER, "compile", f, "-t", "airflow"])
	check(r.returncode == 0 and "file://%s/store/couler/files/" % os.path.realpath(tmp) in r.stdout, "and is named", r.stderr)
	r = run([COULER, "compile", f])
	check(r.returncode == 4 and "argo cannot fetch code from 'file://" in r.stderr, "Argo cannot reach it", r.stderr)


def test_push_errors(tmp, s3):
	f = project(tmp, "s3://bkt/err", s3.url)
	text = read(f).decode()
	r = run([COULER, "push", f], {**KEYS, "AWS_SECRET_ACCESS_KEY": "wr0ng"})
	check(r.returncode == 5 and "SignatureDoesNotMatch" in r.stderr and "wr0ng" not in r.stderr, "refused", r.stderr)
	r = run([COULER, "push", write(tmp + "/q.cw", text.replace(s3.url, "http://127.0.0.1:1"))], KEYS)
	check(r.returncode == 5 and "127.0.0.1:1" in r.stderr, "nobody there", r.stderr)
	g = write(tmp + "/r.cw", text.replace("artifacts = st", ""))
	for command in ("push", "compile"):
		r = run([COULER, command, g], KEYS)
		check(r.returncode == 4 and "couler push" in r.stderr and "artifacts = NAME" in r.stderr and "CW0801" in r.stderr, command + " without a store", r.stderr)
	r = run([COULER, "push", f, "-t", "shell"], KEYS)
	check(r.returncode == 2 and "nothing is to be pushed" in r.stderr, "for an engine that reads local files", r.stderr)
	r = run([COULER, "push", write(tmp + "/n.cw", 'workflow w { step a { image = "x:1"; run = """true""" } }\n')], KEYS)
	check(r.returncode == 0 and "nothing to push" in r.stdout, "nothing to push", r.stdout, r.stderr)
	r = run([COULER, "push", write(tmp + "/s.cw", re.sub(r'sha256 = "[^"]*"', 'sha256 = "%s"' % digest(b""), text))], KEYS)
	check(r.returncode == 1 and "CW0630" in r.stderr and "was asked for" in r.stderr, "not what its digest says", r.stderr)
	os.unlink(tmp + "/data/table.csv")
	shutil.rmtree(tmp + "/folder")
	os.mkdir(tmp + "/folder")
	r = run([COULER, "push", f], KEYS)
	check(r.returncode == 1 and "data/table.csv: No such file" in r.stderr and "holds no file" in r.stderr and "p.cw:6:" in r.stderr, "what is not there, at its place", r.stderr)
	r = run([COULER, "push", f, "--no-such"], KEYS)
	check(r.returncode == 2, "an option that there is not")


def main():
	only = sys.argv[3] if len(sys.argv) > 3 else ""
	top = tempfile.mkdtemp(prefix="couler-net-")
	s3 = S3(top)
	try:
		for name, f in list(globals().items()):
			if not name.startswith("test_") or only not in name:
				continue
			start = time.time()
			tmp = "%s/%s" % (top, name)
			os.mkdir(tmp)
			s3.forget()
			s3.faults()
			try:
				f(tmp, s3) if "s3" in f.__code__.co_varnames[: f.__code__.co_argcount] else f(tmp)
			except Exception as e:
				check(False, "%s ended in %r" % (name, e))
			print("%s %.1f s" % (name, time.time() - start), flush=True)
	finally:
		s3.close()
		subprocess.run(["chmod", "-R", "u+w", top], check=False)
		shutil.rmtree(top, ignore_errors=True)
	print("%d passed, %d failed" % tuple(counts))
	return counts[1] != 0


sys.exit(main())
