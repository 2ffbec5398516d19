"""A local HTTP server for downloads: serves ranges or ignores them, stops midway, answers 404."""

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(contents, port=0):
    """A server of ``contents`` ({path: bytes}) with attributes to set and to look at:

    ``url``; ``ranges``, whether it can send a part; ``stop``, the byte of a file at which it cuts the
    connection; ``asked``, a (path, first byte or None) for each request.
    """
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.contents, server.stop, server.ranges, server.asked = contents, None, True, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        self.server.asked.append((self.path, asked and int(asked[1])))
        if self.path not in self.server.contents:
            return self.send_error(404)
        content = self.server.contents[self.path]
        start = int(asked[1]) if asked and self.server.ranges else 0
        if start >= len(content):
            return self.send_error(416)
        self._send(content, start)

    def _send(self, content, start):
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.stop])
        self.close_connection = True

    def log_message(self, *_):
        pass
