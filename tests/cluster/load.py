#!/usr/bin/env python3
"""Submits ballots for all municipalities, and remembers every answer.

    load.py URL ROUND TOKENS INITIATIVES ANSWERS SECONDS

Each client has municipalities of its own. TOKENS has lines of code, tab, token, as `handslag token --all` writes them;
INITIATIVES is the CSV of the round. Every attempt carries a reference that no other has, and is a line of JSON in
ANSWERS. Stops after so many seconds, or at SIGTERM.
"""

import csv
import http.client
import json
import random
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

CLIENTS = 6
PAUSE = 0.02
# Longer than the service and the proxy take to give up.
PATIENCE = 40

url, round_id, tokens, initiatives, answers, seconds = sys.argv[1:]
host = urlsplit(url).netloc
path = f"/handslag/v1/rounds/{round_id}"
with open(initiatives, encoding="utf-8") as file:
    slate = [row["id"] for row in csv.DictReader(file)]
with open(tokens, encoding="utf-8") as file:
    roll = [line.rstrip("\n").split("\t") for line in file]

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
out = open(answers, "w", buffering=1, encoding="utf-8")
writing = threading.Lock()


def remember(**what):
    with writing:
        out.write(json.dumps(what) + "\n")


def ask(method, target, headers, body=None):
    """The status, the fields and the body of an answer; none when there is no answer."""
    connection = http.client.HTTPConnection(host, timeout=PATIENCE)
    try:
        connection.request(method, target, body, {"Accept-Language": "en", **headers})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return None, {}, type(error).__name__.encode()
    finally:
        connection.close()


class Participant:
    """A municipality and what it knows of its own ballot."""

    def __init__(self, code, token):
        self.code = code
        self.target = f"{path}/ballots/{code}"
        self.fields = {"Authorization": f"Bearer {token}"}
        # The revision that was acknowledged or seen last; 0: none. None: the last outcome is unknown.
        self.revision = 0
        # Every other one sends conditions, as callers should; the others do not.
        self.careful = int(code) % 2 == 0

    def submit(self, reference):
        ranking = random.sample(slate, 5)
        fields = {"Content-Type": "application/json", **self.fields}
        if self.careful:
            fields.update({"If-Match": f'"{self.revision}"'} if self.revision else {"If-None-Match": "*"})
        body = json.dumps({"ranking": ranking, "reference": reference})
        began = time.time()
        status, fields, body = ask("PUT", self.target, fields, body)
        what = dict(
            op="put", code=self.code, reference=reference, ranking=ranking, status=status, began=began, ended=time.time()
        )
        if status in (200, 201):
            said = json.loads(body)
            self.revision = said["revision"]
            what.update(revision=said["revision"], sequence=said["sequence"], hash=said["receipt"]["entryHash"])
        elif fields.get("Content-Type", "").startswith("application/problem+json"):
            problem = json.loads(body)
            what["detail"] = problem.get("detail", "")
            what["nothing"] = status != 503 or what["detail"].startswith("Nothing was stored")
            if not what["nothing"] or status == 412:
                self.revision = None
        else:
            # No answer, or the proxy's own.
            what["detail"] = body[:80].decode(errors="replace").strip()
            what["nothing"] = False
            self.revision = None
        remember(**what)
        return status in (200, 201)

    def look(self):
        """After an unknown outcome: what does the service have?"""
        began = time.time()
        status, fields, _ = ask("GET", self.target, self.fields)
        remember(op="look", code=self.code, status=status, began=began, ended=time.time())
        if status == 200:
            self.revision = int(fields["ETag"].strip('"'))
        elif status == 404:
            self.revision = 0


def client(number):
    mine = [Participant(code, token) for code, token in roll[number::CLIENTS]]
    count = 0
    while not stop.is_set():
        for participant in mine:
            if stop.is_set():
                return
            if participant.revision is None:
                participant.look()
            if participant.revision is None or not participant.submit(f"c{number}-{(count := count + 1)}"):
                stop.wait(0.2)
            stop.wait(PAUSE)


def poll():
    """Results are polled without a pause; what was rendered is served whatever becomes of the database."""
    tag = ""
    while not stop.is_set():
        began = time.time()
        status, fields, _ = ask("GET", f"{path}/results", {"If-None-Match": tag} if tag else {})
        tag = fields.get("ETag", tag)
        remember(op="poll", status=status, began=began, ended=time.time())
        stop.wait(0.1)


threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
threads.append(threading.Thread(target=poll))
for thread in threads:
    thread.start()
stop.wait(float(seconds))
stop.set()
for thread in threads:
    thread.join()
