"""A server that speaks S3: moto behind a check of each request's signature, with faults on demand.

s3_server.py LOG PORT_FILE: listens on a free port of loopback, writes it to PORT_FILE and each request to LOG.
The file LOG.faults holds lines "METHOD WORD COUNT STATUS": the next COUNT requests of that method whose URL holds WORD get
STATUS; "cut" closes the connection instead, "stall" waits before it closes.
"""
import hashlib
import os
import sys
import threading
import time

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

KEYS = {"AKIATEST": ("secret/of+test", None), "ASIATEST": ("other secret", "session==token")}
LOG = sys.argv[1]
lock = threading.Lock()


def signature(environ, body):
	"""What is wrong with the signature; None."""
	auth = environ.get("HTTP_AUTHORIZATION")
	if not auth:
		return "AccessDenied"
	fields = dict(f.strip().split("=", 1) for f in auth.split(" ", 1)[1].split(","))
	key_id, date, region, service, end = fields["Credential"].split("/")
	if key_id not in KEYS:
		return "InvalidAccessKeyId"
	secret, token = KEYS[key_id]
	signed = fields["SignedHeaders"].split(";")
	headers = {}
	for name in signed:
		v = environ.get("HTTP_" + name.upper().replace("-", "_")) or environ.get(name.upper().replace("-", "_"))
		if v is None:
			return "SignatureDoesNotMatch: no " + name
		headers[name] = v
	for must in ("host", "x-amz-date", "x-amz-content-sha256"):
		if must not in signed:
			return "SignatureDoesNotMatch: unsigned " + must
	if token and headers.get("x-amz-security-token") != token:
		return "InvalidToken"
	if headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
		return "XAmzContentSHA256Mismatch"
	url = "http://%s%s" % (headers["host"], environ["RAW_URI"])
	request = AWSRequest(environ["REQUEST_METHOD"], url, headers=headers, data=body)
	request.context["timestamp"] = headers["x-amz-date"]
	request.context["payload_signing_enabled"] = True
	auth = S3SigV4Auth(Credentials(key_id, secret, token), service, region)
	auth.credentials = Credentials(key_id, secret, token)
	text = auth.string_to_sign(request, auth.canonical_request(request))
	if auth.signature(text, request) != fields["Signature"] or (service, end) != ("s3", "aws4_request"):
		return "SignatureDoesNotMatch"
	return None


def fault(method, uri):
	path = LOG + ".faults"
	with lock:
		if not os.path.exists(path):
			return None
		lines = [l.split() for l in open(path)]
		for l in lines:
			if l[0] == method and l[1] in uri and int(l[2]) > 0:
				l[2] = str(int(l[2]) - 1)
				with open(path, "w") as f:
					f.writelines(" ".join(x) + "\n" for x in lines)
				return l[3]
	return None


class Checked:
	def __init__(self, app):
		self.app = app

	def __call__(self, environ, start):
		body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
		environ["wsgi.input"] = __import__("io").BytesIO(body)
		what = fault(environ["REQUEST_METHOD"], environ["RAW_URI"])
		bad = signature(environ, body)
		with lock, open(LOG, "a") as f:
			f.write("%s %s %d %s\n" % (environ["REQUEST_METHOD"], environ["RAW_URI"], len(body), what or bad or "ok"))
		if what in ("cut", "stall"):
			time.sleep(30 if what == "stall" else 0)
			environ["werkzeug.socket"].close()
			return []
		if what or bad:
			text = ("<?xml version='1.0'?><Error><Code>%s</Code><Message>no &amp; no</Message></Error>" % (bad or "SlowDown")).encode()
			start("%s x" % (what or 403), [("Content-Length", str(len(text))), ("Content-Type", "application/xml")])
			return [b"" if environ["REQUEST_METHOD"] == "HEAD" else text]
		return self.app(environ, start)


def main():
	app = DomainDispatcherApplication(create_backend_app)
	server = make_server("127.0.0.1", 0, Checked(app), threaded=True)
	with open(sys.argv[2] + ".tmp", "w") as f:
		f.write(str(server.server_port))
	os.rename(sys.argv[2] + ".tmp", sys.argv[2])
	server.serve_forever()


main()
