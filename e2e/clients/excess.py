"""A client that sends more than its plan allows, and prints what it got, in JSON.

  excess.py URL TOKEN MESSAGES
"""

import json
import sys
import time

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


def hear_rest(socket, heard):
    try:
        while True:
            heard.append(socket.recv(timeout=0))
    except (ConnectionClosed, TimeoutError):
        pass


def talk(url, token, messages):
    got = {"heard": []}
    try:
        with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
            fields = socket.response.headers
            got["before"] = fields.get("RateLimit")
            began = time.monotonic()
            try:
                for number in range(messages):
                    socket.send(f"message {number}")
                # The answer to a Ping comes behind everything that came before it; a goodbye is an answer as well.
                socket.ping(ack_on_close=True).wait(10)
                while True:
                    got["heard"].append(socket.recv(timeout=0))
            except TimeoutError:
                pass
            except ConnectionClosed:
                # What came before the Close can still be read.
                hear_rest(socket, got["heard"])
            got["seconds"] = time.monotonic() - began
        got["code"], got["reason"] = socket.close_code, socket.close_reason
    except InvalidStatus as refused:
        fields = refused.response.headers
        got["status"] = refused.response.status_code
        got["problem"] = json.loads(refused.response.body)
        got["retry_after"], got["before"] = fields["Retry-After"], fields["RateLimit"]
    return got


print(json.dumps(talk(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
