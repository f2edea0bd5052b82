"""Who calls: clients with the credentials of a principal."""

import json
import os
import shlex
import subprocess
import time

import boto3
import botocore.config
import botocore.exceptions

ACCOUNT = "111122223333"
REGION = os.environ.get("AWS_REGION", "eu-central-1")


def client(service, session=None, region=REGION, **options):
    """A client of a session, or of the root user; what it is answered is never asked twice."""
    once = botocore.config.Config(retries={"total_max_attempts": 1}, **options)
    return (session or boto3.Session()).client(service, region_name=region, config=once)


def session_of(principal):
    """A session with access keys that `keywright engine keys` makes for a principal."""
    command = [os.environ["KEYWRIGHT"], "engine", "keys", principal]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = [shlex.split(line)[1] for line in printed.splitlines() if line.startswith("export ")]
    variables = dict(word.split("=", 1) for word in words)
    return boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        variables.get("AWS_SESSION_TOKEN"),
        region_name=REGION,
    )


def session_with(credentials):
    """A session with credentials as STS answers them."""
    return boto3.Session(
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
        region_name=REGION,
    )


def policy(*statements):
    """A policy's text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, resource="*", **members):
    """A statement that allows."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **members}


def refused(call, code, status=400, **members):
    """Makes a call that must be refused with a code, and gives the message."""
    try:
        call(**members)
    except botocore.exceptions.ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code, f"{found} instead of {code}"
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        return found.get("Message", "")
    raise AssertionError(f"answered instead of {code}: {members}")


def until(deadline_seconds, holds):
    """Waits until something holds, for a state that ends by itself."""
    end = time.monotonic() + deadline_seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.05)
