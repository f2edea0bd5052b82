"""Memory of a server with many keys on its disk, which are listed, described and used at random by 16 clients.

One key is made by the server; the others are copies of its rows, since what counts is how many there are.
"""

import http.client
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid

CLIENTS, CALLS = 16, 1000
ACCOUNT, REGION = "111122223333", "eu-central-1"
HEADERS = {
    "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/kms/aws4_request, SignedHeaders=host, Signature=0",
    "Content-Type": "application/x-amz-json-1.1",
}


def main():
    count, most = int(sys.argv[1]), int(sys.argv[2])
    state = tempfile.mkdtemp()
    try:
        with Server(state) as server:
            server.call("CreateKey", Tags=[{"TagKey": "Team", "TagValue": "cards"}])
        ids = multiply(state, count)
        with Server(state) as server:
            idle = server.memory()
            begin = time.monotonic()
            use(server, ids)
            seconds = time.monotonic() - begin
            used = server.memory()
            print(f"{count:,} keys: {idle} MiB after the start, {used} MiB after {CLIENTS * CALLS:,} calls in {seconds:.0f} s")
            assert used < most, f"more than {most} MiB"
    finally:
        shutil.rmtree(state)


class Server:
    """A server on a state, until the end of a `with`."""

    def __init__(self, state):
        command = [os.environ["KEYWRIGHT"], "serve", "--listen", "127.0.0.1:0", "--state", state]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        told = self.process.stderr.readline()
        self.port = int(re.search(r" on http://127\.0\.0\.1:(\d+)", told)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def call(self, operation, connection=None, **members):
        connection = connection or self.connect()
        connection.request("POST", "/", json.dumps(members), HEADERS | {"X-Amz-Target": f"TrentService.{operation}"})
        answer = connection.getresponse()
        body = json.loads(answer.read() or b"{}")
        assert answer.status == 200, (operation, members, body)
        return body

    def memory(self):
        """What is resident, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) // 1024


def multiply(state, count):
    """Makes copies of the one key that is there, each with a policy of its own, and tells the ids of all."""
    database = sqlite3.connect(pathlib.Path(state) / "engine.db")
    database.row_factory = sqlite3.Row
    copied = {"keys": "row", "key_material": "key", "policies": "key", "tags": "key"}
    originals = {table: [dict(row) for row in database.execute(f"SELECT * FROM {table}")] for table in copied}
    (key,) = originals["keys"]
    ids = [key["id"]]
    for row in range(key["row"] + 1, key["row"] + count):
        ids.append(str(uuid.uuid4()))
        for table, column in copied.items():
            for original in originals[table]:
                copy = original | {column: row}
                if table == "keys":
                    copy |= {"id": ids[-1]}
                elif table == "key_material":
                    del copy["row"]
                elif table == "policies":
                    copy |= {"text": copy["text"].replace("Enable IAM User Permissions", f"Of key {row}")}
                names = ", ".join(copy)
                marks = ", ".join("?" * len(copy))
                database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(copy.values()))
        database.execute(
            "INSERT INTO aliases SELECT account, region, 'alias/' || id, row, created, created FROM keys WHERE row = ?",
            (row,),
        )
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return ids


def use(server, ids):
    faults = []

    def client(seed):
        chance, connection = random.Random(seed), server.connect()
        try:
            for number in range(CALLS):
                key = chance.choice(ids)
                if number % 50 == 0:
                    page = server.call("ListKeys", connection, Limit=1000)
                    assert page["Truncated"] == (len(ids) > 1000)
                elif number % 2:
                    assert server.call("DescribeKey", connection, KeyId=key)["KeyMetadata"]["KeyId"] == key
                else:
                    server.call("Encrypt", connection, KeyId=key, Plaintext="cGxhaW4=")
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=client, args=[seed]) for seed in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


main()
