"""Starts LocalStack's runtime on the loopback interface only, over plain HTTP.

The runtime reads the port of GATEWAY_LISTEN and ignores its host: it would listen on every interface. It also makes a
certificate with functions that newer versions of pyOpenSSL no longer have.
"""

from localstack.runtime.main import main
from localstack.runtime.server.twisted import TwistedRuntimeServer
from localstack.utils import ssl
from rolo.serving.twisted import TwistedGateway
from twisted.internet import endpoints, reactor


def register(self, gateway, listen, ssl_creds=None):
    for address in listen:
        endpoint = endpoints.TCP4ServerEndpoint(reactor, address.port, interface="127.0.0.1")
        endpoint.listen(TwistedGateway(gateway))


TwistedRuntimeServer.register = register
ssl.create_ssl_cert = lambda **_: (None, None, None)
ssl.install_predefined_cert_if_available = lambda: None

main()
