"""A first signal lets what runs end within a deadline, a second one cuts it; either way the peer stops in order."""

import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import ProcessTest, arguments, check, run, wait_until  # noqa: E402

DRAIN = 5  # seconds a request may go on, as in cli/service/peer.cpp


def hanging_upload(peer):
    """An add whose client has sent the half of its body and stays silent."""
    client = socket.create_connection(("127.0.0.1", peer.api_port), timeout=30)
    client.sendall(b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                   b"Content-Length: 1000000\r\n\r\n"
                   b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello')
    return client


def stop_with(peer, signals):
    """How long it took to end after so many signals; the second follows when the first was taken."""
    mark = os.path.getsize(peer.log_path)
    began = time.monotonic()
    for number in range(signals):
        if number:
            wait_until(10, "the signal is taken", lambda: "shutting down" in peer.log_from(mark), 0.01)
        peer.process.send_signal(signal.SIGTERM)
    check(peer.process.wait(60) == 0, f"exit status {peer.process.returncode}:\n{peer.tail()}")
    took = time.monotonic() - began
    log = peer.log_from(mark)
    check(("Shutdown is taking long" in log) == (signals == 2), f"{signals} signals, log:\n{log}")
    check("the database is flushed" in log, f"no orderly end after {signals} signals:\n{log}")
    return took


def main():
    with ProcessTest(arguments(__doc__).parse_args()) as test:
        peer = test.peer("one")
        peer.init()
        took = []
        for signals in (1, 2):
            peer.start()
            client = hanging_upload(peer)
            # Answered on another connection: the peer has read the upload's head by now.
            check(peer.request("GET", "/id")[0] == 200, "no answer beside an upload")
            took.append(stop_with(peer, signals))
            client.close()
        check(took[0] >= DRAIN - 0.5, f"an upload was given {took[0]:.1f} s only")
        check(took[1] < DRAIN - 2, f"after a second signal it still took {took[1]:.1f} s")
        print(f"one signal: {took[0]:.1f} s, two: {took[1]:.1f} s")


run(main)
