#!/usr/bin/env python3
"""Submits a ballot and reads the ranking into a table.

    python.py URL CLIENT-ID KEY-OR-SECRET-FILE ROUND CODE FIRST SECOND …

Python 3.9 and its standard library; where the client has a key, the package `cryptography` signs with it.
"""

import base64
import csv
import io
import json
import sys
import time
import uuid
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def call(method, address, body=None, **fields):
    """The answer and its fields; a refusal is an HTTPError."""
    request = Request(address, data=body, method=method, headers=fields)
    with urlopen(request, timeout=30) as answer:
        return answer.read().decode(), answer.headers


def assertion(issuer, client, pem):
    """What only the owner of the key can sign; good for one use."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    def part(content):
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    header = {"alg": "EdDSA", "typ": "client-authentication+jwt"}
    now = int(time.time())
    claims = {"iss": client, "sub": client, "aud": issuer, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4())}
    message = part(json.dumps(header).encode()) + b"." + part(json.dumps(claims).encode())
    signature = load_pem_private_key(pem, password=None).sign(message)
    return (message + b"." + part(signature)).decode()


def fetch_token(url, client, file):
    """An access token. It lives for five minutes; keep it meanwhile."""
    server = json.loads(call("GET", f"{url}/.well-known/oauth-authorization-server")[0])
    form = {"grant_type": "client_credentials", "client_id": client}
    with open(file, "rb") as opened:
        content = opened.read()
    if b"PRIVATE KEY" in content:
        form["client_assertion_type"] = JWT_BEARER
        form["client_assertion"] = assertion(server["issuer"], client, content)
    else:
        form["client_secret"] = content.decode().strip()
    return json.loads(call("POST", server["token_endpoint"], urlencode(form).encode())[0])["access_token"]


def submit(address, bearer, ranking):
    """Stores the ranking, unless somebody else changes the ballot meanwhile; gives the ballot with its receipt."""
    try:
        condition = {"If-Match": call("GET", address, **bearer)[1]["ETag"]}
    except HTTPError as refusal:
        if refusal.code != 404:
            raise
        condition = {"If-None-Match": "*"}
    body = json.dumps({"ranking": ranking}).encode()
    fields = {"Content-Type": "application/json", **bearer, **condition}
    return json.loads(call("PUT", address, body, **fields)[0])


def main(url, client, file, round_id, code, *ranking):
    base = f"{url.rstrip('/')}/handslag/v1/rounds/{round_id}"
    bearer = {"Authorization": "Bearer " + fetch_token(url.rstrip("/"), client, file)}
    ballot = submit(f"{base}/ballots/{code}", bearer, ranking)
    print("revision", ballot["revision"], "receipt", ballot["receipt"]["signature"])
    table = list(csv.DictReader(io.StringIO(call("GET", f"{base}/results?format=csv", **bearer)[0])))
    for row in table:
        print(row["resolvedRank"], row["initiativeId"], row["score"], sep="\t")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except HTTPError as refusal:
        # A problem in JSON, with every fault.
        sys.exit(refusal.read().decode())
