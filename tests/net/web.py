"""A web server that holds objects and does wrong on demand."""
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web:
	"""objects: path -> bytes. faults: functions (method, path) -> None or a fault, asked in turn:
	("status", code, {header: value}), ("cut",) closes, ("part", n) sends n bytes of a GET and closes, ("stall", s) waits and closes,
	("slow", s) waits and goes on, ("extra",) promises and sends more than asked for."""

	def __init__(self, tls=None):
		self.objects, self.log, self.fault, self.read_only = {}, [], lambda m, p: None, False
		self.lock = threading.Lock()
		web = self

		class Handler(BaseHTTPRequestHandler):
			protocol_version = "HTTP/1.1"

			def log_message(self, *a):
				pass

			def answer(self):
				web.answer(self)

			do_GET = do_HEAD = do_PUT = answer

		self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.server.daemon_threads = True
		self.server.handle_error = lambda *a: None          # a client that went away
		scheme = "http"
		if tls:
			c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
			c.load_cert_chain(*tls)
			self.server.socket = c.wrap_socket(self.server.socket, server_side=True)
			scheme = "https"
		self.url = "%s://127.0.0.1:%d" % (scheme, self.server.server_port)
		threading.Thread(target=self.server.serve_forever, daemon=True).start()

	def count(self, method, word=""):
		return sum(m == method and word in p for m, p, _ in self.log)

	def reply(self, h, code, body=b"", headers=()):
		h.send_response(code)
		for k, v in dict(headers).items():
			h.send_header(k, v)
		h.send_header("Content-Length", str(len(body)))
		h.end_headers()
		if h.command != "HEAD":
			h.wfile.write(body)

	def answer(self, h):
		body = b""
		if h.headers.get("Expect") == "100-continue" and h.request_version == "HTTP/1.1":
			pass
		if h.command == "PUT":
			body = h.rfile.read(int(h.headers["Content-Length"]))
		with self.lock:
			self.log.append((h.command, h.path, dict(h.headers)))
			fault = self.fault(h.command, h.path)
			data = self.objects.get(h.path.split("?")[0])
		kind = fault[0] if fault else None
		if kind == "status":
			return self.reply(h, fault[1], b"no", fault[2] if len(fault) > 2 else {})
		if kind in ("stall", "slow"):
			time.sleep(fault[1])
		if kind in ("cut", "stall"):
			h.close_connection = True
			return h.connection.close()
		if h.command == "PUT":
			if self.read_only:
				return self.reply(h, 405)
			with self.lock:
				self.objects[h.path] = body
			return self.reply(h, 201)
		if data is None:
			return self.reply(h, 404)
		if kind == "part":
			h.send_response(200)
			h.send_header("Content-Length", str(len(data)))
			h.end_headers()
			h.wfile.write(data[: fault[1]])
			h.wfile.flush()
			h.close_connection = True
			return None
		return self.reply(h, 200, data)

	def close(self):
		self.server.shutdown()
		self.server.server_close()


def first(n, fault, method=None, word=""):
	"""A fault for the first n requests (of that method, with that word in the path)."""
	left = [n]

	def f(m, p):
		if (method and m != method) or word not in p or not left[0]:
			return None
		left[0] -= 1
		return fault

	return f
