"""Requests a second at 16 connections, here and on moto, with one driver and in one run."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

CONNECTIONS = 16
HERE = os.environ["AWS_ENDPOINT_URL"]
HEADERS = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=111122223333/20260101/eu-central-1/kms/aws4_request, "
    "SignedHeaders=host, Signature=0",
    "Content-Type": "application/x-amz-json-1.1",
}
WRK = shutil.which("wrk")


def main():
    moto, seconds = sys.argv[1], int(sys.argv[2])
    print(f"driver: {'wrk' if WRK else 'Python, one process'}, {CONNECTIONS} connections, {seconds} s each")
    # What does nothing shows what the driver and the connections can do at best.
    print(f"at most: {measure(HERE, 'GET', '/healthz', {}, '', seconds):,.0f}/s (GET /healthz)")
    keys = {url: call(url, "CreateKey")["KeyMetadata"]["KeyId"] for url in (HERE, moto)}
    for operation, members in [("DescribeKey", {}), ("Encrypt", {"Plaintext": "cGxhaW4="})]:
        here, there = (
            measure(url, "POST", "/", target(operation), json.dumps({"KeyId": keys[url], **members}), seconds)
            for url in (HERE, moto)
        )
        print(f"{operation}: {here:,.0f}/s, moto {there:,.0f}/s: {here / there:.0f} times as many")


def target(operation):
    return HEADERS | {"X-Amz-Target": f"TrentService.{operation}"}


def call(url, operation, **members):
    request = urllib.request.Request(url, json.dumps(members).encode(), target(operation))
    return json.load(urllib.request.urlopen(request, timeout=60))


def measure(url, method, path, headers, body, seconds):
    """Requests a second, none of which may fail."""
    if WRK:
        return by_wrk(url, method, path, headers, body, seconds)
    count, took = asyncio.run(by_python(url, request_bytes(url, method, path, headers, body), seconds))
    return count / took


def by_wrk(url, method, path, headers, body, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = {json.dumps(method)}\nwrk.body = {json.dumps(body)}\n")
        for name, value in headers.items():
            script.write(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n")
        script.flush()
        command = [WRK, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name, url + path]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said, said
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def request_bytes(url, method, path, headers, body):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urllib.parse.urlsplit(url).netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


async def by_python(url, request, seconds):
    """Sends one request after the other on each connection; gives how many were answered, and in what time."""
    place = urllib.parse.urlsplit(url)
    begin = time.monotonic()

    async def connection():
        count = 0
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        while time.monotonic() - begin < seconds:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split(b" ", 2)[1] == b"200", head
            await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
            count += 1
            # A server without persistent connections gets a new one for each request.
            if b"connection: close" in head.lower():
                writer.close()
                reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.close()
        return count

    counts = await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return sum(counts), time.monotonic() - begin


if __name__ == "__main__":
    main()
