"""Stands in for Synapse: answers, and says on standard output what was delivered to it.

Of a request, `do` in the query says what becomes of it: `drop` breaks the connection off once it was read, `sleep`
answers after a second, `die` ends the process, and `hog` has it killed for want of memory.
"""

import hashlib
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        address = urlsplit(self.path)
        if address.path == "/health":
            return self.reply(b"OK")
        body = self.body()
        digest = hashlib.sha256(body).hexdigest()[:12]
        print(f"{time.time():.3f} {self.command} {self.path} {len(body)} {digest}", flush=True)
        do = parse_qs(address.query).get("do", [""])[0]
        if do == "drop":
            self.close_connection = True
            return None
        if do == "sleep":
            time.sleep(1)
        if do == "die":
            os._exit(1)
        if do == "hog":
            hoard = [bytearray(os.urandom(1 << 20)) for _ in range(4096)]
            print(len(hoard))
        return self.reply(f"{self.command} {len(body)} {digest}".encode())

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_OPTIONS = do_PUT = do_POST = do_DELETE = answer

    def log_message(self, *_):
        """Deliveries are said above."""


class Server(ThreadingHTTPServer):
    # Twisted's.
    request_queue_size = 50
    daemon_threads = True


# As Synapse, it takes a while until it listens.
time.sleep(float(sys.argv[1]))
Server(("", 8008), Handler).serve_forever()
