"""A quote service on Python's standard library. Run it with `python3 app.py --port 3000` or PORT=3000."""

import argparse
import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from quotes import authors, random_quote

VERSION = (Path(__file__).parent / "VERSION").read_text().strip()
STOP_LIMIT_S = 8  # less than the ten seconds Sluice waits between SIGTERM and SIGKILL


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    server_version = f"quotes/{VERSION}"
    timeout = 75  # seconds; longer than a proxy keeps an idle connection
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together

    def do_GET(self):
        with self.server.running:
            path = self.path.partition("?")[0]
            try:
                status, body = self.answer(path)
            except Exception as error:  # the edge: an error becomes a 500 and a line in the log
                log("error", path=path, error=repr(error))
                status, body = 500, {"error": repr(error)}
            self.send_json(status, body)

    def answer(self, path):
        if path == "/up":
            return 200, {"status": "ok"}
        if path == "/quote":
            return 200, random_quote()
        if path == "/authors":
            return 200, authors()
        return 404, {"error": f"nothing at {path}"}

    def send_json(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("x-quotes-version", VERSION)
        if "x-load-id" in self.headers:  # echoed, so that a client can prove whose answer this is
            self.send_header("x-load-id", self.headers["x-load-id"])
        if self.server.running.stopping:
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *_):
        """No line for each request."""


class Running:
    """Counts running requests, so that stopping can wait for them."""

    def __init__(self):
        self.stopping = False
        self.count = 0
        self.changed = threading.Condition()

    def __enter__(self):
        with self.changed:
            self.count += 1

    def __exit__(self, *_):
        with self.changed:
            self.count -= 1
            self.changed.notify_all()

    def wait_until_none(self, limit_s):
        with self.changed:
            return self.changed.wait_for(lambda: self.count == 0, timeout=limit_s)


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, port):
        self.running = Running()
        super().__init__(("127.0.0.1", port), Handler)


def log(message, **fields):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"at": at, "message": message, "version": VERSION, **fields}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "3000")))
    server = Server(parser.parse_args().port)

    def stop(signum, _frame):
        server.running.stopping = True
        log("stopping", signal=signal.Signals(signum).name)
        # Not from this thread: shutdown() waits for the loop that this handler interrupts.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log("started", port=server.server_address[1], pid=os.getpid())
    server.serve_forever(poll_interval=0.1)
    server.socket.close()
    finished = server.running.wait_until_none(STOP_LIMIT_S)
    log("stopped", finished=finished)


if __name__ == "__main__":
    main()
