"""A local HTTP server for downloads: answers with files, stops midway, answers 404."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(contents):
    """A server of ``contents`` ({path: bytes}), with its ``url``; ``stop``, the byte of a file at
    which it cuts the connection; ``asked``, the path of each request."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.contents, server.stop, server.asked = contents, None, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.contents.get(self.path)
        if content is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.stop])
        self.close_connection = True

    def log_message(self, *_):
        pass
