"""KMS without a client: requests that no client would send, and answers before any client has read them."""

import http.client
import json
import os
import urllib.parse

from callers import ACCOUNT, REGION

ADDRESS = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc


class Wire:
    """A connection of the root user, of whose signature nothing is checked."""

    def __init__(self, region=REGION):
        self.connection = http.client.HTTPConnection(ADDRESS, timeout=60)
        self.authorization = (
            f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{region}/kms/aws4_request, SignedHeaders=host, Signature=0"
        )

    def send(self, operation, body):
        """The status and the members of the answer to a body."""
        headers = {
            "Authorization": self.authorization,
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"TrentService.{operation}",
        }
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        self.connection.request("POST", "/", text, headers)
        response = self.connection.getresponse()
        answer = response.read()
        assert response.getheader("x-amzn-requestid"), (operation, "an answer without request id")
        assert response.getheader("content-type") == "application/x-amz-json-1.1", operation
        return response.status, json.loads(answer) if answer else {}
