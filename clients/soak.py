"""`kill -9` at random points under concurrent writes: what was answered is there after the next start.

Six writers create keys, tag, describe, disable and enable them, name them and grant them, and encrypt. Each keeps what was
answered. What was on its way when the server died may have happened or not; then and only then either is right.
"""

import base64
import collections
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

WRITERS = 6
# The longest time that a server lives, and that a start may take.
LIFE, START = 0.6, 30.0
ACCOUNT = "111122223333"
# A run ends with an error when it takes longer than this for each kill.
SECONDS_PER_KILL = 8


class Server:
    """A process on the state that all of them share."""

    def __init__(self, state):
        command = [os.environ["KEYWRIGHT"], "serve", "--listen", "127.0.0.1:0", "--state", state]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        begin = time.monotonic()
        for line in self.process.stderr:
            found = re.search(r" on http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found[1])
                break
        else:
            raise AssertionError("the server did not start")
        assert time.monotonic() - begin < START

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()


class Lost(Exception):
    """The server died before it answered."""


class Caller:
    """A connection, which is made anew for each server."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __call__(self, operation, **members):
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/eu-central-1/kms/aws4_request, "
            "SignedHeaders=host, Signature=0",
            "X-Amz-Target": f"TrentService.{operation}",
        }
        try:
            self.connection.request("POST", "/", json.dumps(members), headers)
            response = self.connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Lost from error
        answer = json.loads(body) if body else {}
        assert response.status == 200, f"{operation} {members}: {answer}"
        return answer


class Writer:
    """One of those who write, with the keys that it alone changes and what must be true of them."""

    def __init__(self, name, seed):
        self.name = name
        self.random = random.Random(seed)
        self.answered = 0
        # For each key and property the values that it may have: one, or two after a lost answer.
        self.facts = collections.defaultdict(dict)
        self.ciphertexts = []
        self.error = None

    def run(self, port):
        call = Caller(port)
        try:
            while True:
                self.write(call)
                self.answered += 1
        except Lost:
            pass
        except Exception as error:
            self.error = error

    def write(self, call):
        kinds = [self.tag, self.describe, self.toggle, self.alias, self.grant, self.encrypt, self.create]
        kind = self.random.choice(kinds) if self.facts else self.create
        kind(call, self.random.choice(list(self.facts)) if self.facts else None)

    def change(self, key, what, value, call, *arguments, **members):
        """Makes a call that gives a property a value; until it is answered, the old value may be there too."""
        before = self.facts[key].get(what, {None})
        self.facts[key][what] = before | {value}
        call(*arguments, **members)
        self.facts[key][what] = {value}

    def create(self, call, _):
        key = call("CreateKey", Description="new")["KeyMetadata"]["KeyId"]
        self.facts[key] = {"description": {"new"}, "enabled": {True}}

    def tag(self, call, key):
        value = str(self.random.random())
        self.change(key, "tag", value, call, "TagResource", KeyId=key, Tags=[{"TagKey": "t", "TagValue": value}])

    def describe(self, call, key):
        text = str(self.random.random())
        self.change(key, "description", text, call, "UpdateKeyDescription", KeyId=key, Description=text)

    def toggle(self, call, key):
        enabled = self.random.random() < 0.5
        operation = "EnableKey" if enabled else "DisableKey"
        self.change(key, "enabled", enabled, call, operation, KeyId=key)

    def alias(self, call, key):
        name = f"alias/{self.name}-{self.random.getrandbits(64):x}"
        self.change(key, name, True, call, "CreateAlias", AliasName=name, TargetKeyId=key)

    def grant(self, call, key):
        if self.facts[key]["enabled"] != {True}:
            return
        grantee = f"arn:aws:iam::{ACCOUNT}:user/{self.random.getrandbits(32):x}"
        self.change(
            key, grantee, True, call, "CreateGrant", KeyId=key, GranteePrincipal=grantee, Operations=["Decrypt"]
        )

    def encrypt(self, call, key):
        if self.facts[key]["enabled"] != {True}:
            return
        text = base64.b64encode(self.random.randbytes(16)).decode()
        answer = call("Encrypt", KeyId=key, Plaintext=text)
        self.ciphertexts.append((key, answer["CiphertextBlob"], text))

    def verify(self, call):
        """Compares the server with everything that was answered, and settles what was on its way."""
        for key, facts in self.facts.items():
            metadata = call("DescribeKey", KeyId=key)["KeyMetadata"]
            tags = {tag["TagKey"]: tag["TagValue"] for tag in call("ListResourceTags", KeyId=key)["Tags"]}
            found = {"description": metadata["Description"], "enabled": metadata["Enabled"], "tag": tags.get("t")}
            for alias in call("ListAliases", KeyId=key, Limit=100)["Aliases"]:
                found[alias["AliasName"]] = True
            for grant in call("ListGrants", KeyId=key, Limit=100)["Grants"]:
                found[grant["GranteePrincipal"]] = True
            for what, allowed in facts.items():
                value = found.get(what)
                assert value in allowed, f"{key}: {what} is {value!r}, and one of {allowed} was answered"
                facts[what] = {value}
        for key, ciphertext, text in self.ciphertexts[-20:]:
            if self.facts[key]["enabled"] == {True}:
                assert call("Decrypt", CiphertextBlob=ciphertext)["Plaintext"] == text
        self.forget()

    def forget(self):
        """Keeps the work of a verification bounded: the latest keys, and what is known of them."""
        for key in list(self.facts)[:-12]:
            del self.facts[key]
        for key, facts in self.facts.items():
            named = [what for what in facts if what not in ("description", "enabled", "tag")]
            if len(named) > 60:
                del self.facts[key]
                break
        self.ciphertexts = [entry for entry in self.ciphertexts if entry[0] in self.facts][-100:]


def live_and_die(state, writers, moment):
    """Lets a server check what the earlier ones answered, then write, then die."""
    server = Server(state)
    try:
        for writer in writers:
            writer.verify(Caller(server.port))
        threads = [threading.Thread(target=writer.run, args=[server.port]) for writer in writers]
        for thread in threads:
            thread.start()
        time.sleep(moment)
    finally:
        server.kill()
    for thread in threads:
        thread.join()
    for writer in writers:
        if writer.error:
            raise writer.error


def main():
    kills, seed = int(sys.argv[1]), int(sys.argv[2])
    moments = random.Random(seed)
    writers = [Writer(f"w{number}", seed * 1000 + number) for number in range(WRITERS)]
    state = tempfile.mkdtemp()
    begin = time.monotonic()
    try:
        for kill in range(kills):
            live_and_die(state, writers, moments.uniform(0.02, LIFE))
            assert time.monotonic() - begin < SECONDS_PER_KILL * (kill + 1) + 60, "the run takes too long"
        server = Server(state)
        try:
            for writer in writers:
                writer.verify(Caller(server.port))
        finally:
            server.kill()
    finally:
        shutil.rmtree(state)
    answered = sum(writer.answered for writer in writers)
    seconds = time.monotonic() - begin
    print(f"{kills} kills, seed {seed}: {answered} answered calls in {seconds:.0f} s, none lost")


if __name__ == "__main__":
    main()
