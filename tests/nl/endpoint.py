"""A scripted endpoint of a language model: for each request the next reply of a script; what was sent is kept."""
import http.server
import json
import socket
import ssl
import struct
import threading
import time


def chat(text, finish="stop", usage=True):
    body = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}]}
    if usage:
        body["usage"] = {"prompt_tokens": 1000, "completion_tokens": 200}
    return {"json": body}


def fenced(draft):
    return chat("Here it is.\n\n```cw\n%s```\n" % draft)


class Endpoint:
    def __init__(self, script, context=None):
        self.script, self.requests = list(script), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append({"path": self.path, "headers": dict(self.headers), "body": json.loads(body)})
                step = outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                if step.get("delay"):
                    time.sleep(step["delay"])
                if step.get("reset"):
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    return
                data = json.dumps(step["json"]).encode() if "json" in step else step.get("bytes", b"")
                self.send_response(step.get("status", 200))
                for k, v in step.get("headers", {"Content-Type": "application/json"}).items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(step.get("length", len(data))))
                self.end_headers()
                try:
                    if step.get("repeat"):
                        for _ in range(step["repeat"]):
                            self.wfile.write(data)
                    elif step.get("drip"):
                        for b in data:
                            self.wfile.write(bytes([b]))
                            self.wfile.flush()
                            time.sleep(step["drip"])
                    else:
                        self.wfile.write(data)
                except OSError:
                    pass

            def log_message(self, *a):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *a):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = "%s://localhost:%d/v1" % ("https" if context else "http", self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def tls(cert, key):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(cert, key)
    return c
