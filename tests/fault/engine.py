#!/usr/bin/env python3
"""Stands in for podman, docker and apptainer: reads their command line as they do, writes down what it was given, and
runs the command on this machine with the environment that a container would have. Of podman and docker the container is
no child of the client: it lives on where the client is killed, until `rm -f NAME`.

ENGINE_DIR holds calls.jsonl and a file NAME with the pid of each container. Options that the real ones lack are errors.
"""
import csv
import json
import os
import signal
import subprocess
import sys

HERE = os.environ["ENGINE_DIR"]
NAME = os.path.basename(sys.argv[0])
SWITCHES = {"--rm", "--init", "--containall", "--cleanenv", "--net", "--nv"}
VALUES = {"podman": {"name", "network", "security-opt", "http-proxy", "userns", "workdir", "mount", "env", "entrypoint", "cpus", "memory", "device"},
	"docker": {"name", "network", "security-opt", "user", "workdir", "mount", "env", "entrypoint", "cpus", "memory", "gpus"},
	"apptainer": {"home", "network", "pwd", "mount", "cpus", "memory"}}[NAME]


def die(code, text):
	print("%s: %s" % (NAME, text), file=sys.stderr)
	sys.exit(code)


def parse(args):
	opts, k = {"mount": [], "env": []}, 0
	while k < len(args) and args[k].startswith("-"):
		word, eq, value = args[k].partition("=")
		k += 1
		if word in SWITCHES:
			opts[word[2:]] = True
			continue
		if word[2:] not in VALUES:
			die(125, "unknown flag: " + word)
		if not eq:
			value = args[k]
			k += 1
		if isinstance(opts.get(word[2:]), list):
			opts[word[2:]].append(value)
		else:
			opts[word[2:]] = value
	if k == len(args):
		die(125, "no image")
	return opts, args[k], args[k + 1:]


def mounts(opts):
	found = {}
	for m in opts["mount"]:
		fields = dict((f.split("=", 1) + [True])[:2] for f in next(csv.reader([m])))
		source, target = fields["source"], fields["destination" if NAME == "apptainer" else "target"]
		if fields["type"] == "bind" and not os.path.exists(source):
			die(125, "bind source path does not exist: " + source)
		found[target] = (fields["type"], source, "ro" if "ro" in fields or "readonly" in fields else "rw")
	return found


def environment(opts):
	env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOSTNAME": "box"}
	if NAME == "apptainer":
		env.update((k[13:], v) for k, v in os.environ.items() if k.startswith("APPTAINERENV_"))
		env["HOME"] = opts["home"]
	for e in opts["env"]:
		name, eq, value = e.partition("=")
		if eq:
			env[name] = value
		elif name in os.environ:
			env[name] = os.environ[name]
	return env


def main():
	if sys.argv[1] == "rm":
		with open(os.path.join(HERE, sys.argv[3]), encoding="ascii") as f:
			os.killpg(int(f.read()), signal.SIGKILL)
		os.remove(os.path.join(HERE, sys.argv[3]))
		return 0
	opts, image, words = parse(sys.argv[2:])
	found, env = mounts(opts), environment(opts)
	with open(os.path.join(HERE, "calls.jsonl"), "a", encoding="utf-8") as f:
		f.write(json.dumps({"verb": sys.argv[1], "opts": opts, "image": image, "words": words, "mounts": found, "env": env, "argv": sys.argv}) + "\n")
	if image.startswith("nowhere/"):
		die(255 if NAME == "apptainer" else 125, "%s: no such image" % image)
	if "entrypoint" in opts:
		words = [opts["entrypoint"], *words]
	elif (NAME == "apptainer" and sys.argv[1] == "run") or NAME != "apptainer":
		words = ["sh", "-c", 'echo "entry point: $*"; %s' % env.get("ENTRY", ":"), "sh", *words]
	cwd = opts.get("workdir") or opts.get("pwd") or "/"
	try:
		p = subprocess.Popen(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, start_new_session=NAME != "apptainer")
	except FileNotFoundError:
		die(127, "%s: not found in the image" % words[0])
	if "name" in opts:
		with open(os.path.join(HERE, opts["name"]), "w", encoding="ascii") as f:
			f.write(str(p.pid))
	for s in (signal.SIGTERM, signal.SIGINT):
		signal.signal(s, lambda n, _: p.send_signal(n))
	code = p.wait()
	if "name" in opts:
		os.remove(os.path.join(HERE, opts["name"]))
	return 128 - code if code < 0 else code


if __name__ == "__main__":
	sys.exit(main())
