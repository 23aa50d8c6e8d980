"""Serve the provider to Terraform: the go-plugin handshake and a gRPC server on a private Unix socket.

Reads  the environment that Terraform gives its plugins; writes the handshake line to standard output.
Starts in a fifth of a second, as Terraform starts it several times a command: boto3 and the certificate
library are imported only when they are needed.
Make targets: deploy, plan, destroy.
Example: serve("aws")
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
import threading
from concurrent import futures
from typing import Any

import grpc
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc
from tf.gen import tfplugin_pb2_grpc as rpc

from localaws.terraform.provider import Provider

# The handshake value of go-plugin that Terraform core and every provider share: public, no secret.
MAGIC_COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"  # pragma: allowlist secret
PROTOCOL = 6
WORKERS = 16
MESSAGE_LIMIT = 64 * 1024 * 1024
GRACE = 0.2
PARENT_CHECK = 2.0


class Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):
    """Terraform's way to say that it is done."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def Shutdown(self, request: Any, context: Any) -> Any:
        self.done.set()
        return grpc_controller_pb2.Empty()


class Stdio(grpc_stdio_pb2_grpc.GRPCStdioServicer):
    """go-plugin's channel for a plugin's output; nothing is sent through it."""

    def StreamStdio(self, request: Any, context: Any) -> Any:
        return iter(())


def serve(name: str) -> None:
    """Answer Terraform until it shuts the plugin down or goes away."""
    if os.environ.get("TF_PLUGIN_MAGIC_COOKIE") != MAGIC_COOKIE:
        sys.exit("This is a Terraform plugin: Terraform starts it.")
    controller = Controller()
    options = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=WORKERS), options=options)
    rpc.add_ProviderServicer_to_server(Provider(name), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(controller, server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(Stdio(), server)
    with tempfile.TemporaryDirectory(prefix="tf-") as folder:
        certificate = _listen(server, f"{folder}/plugin")
        server.start()
        sys.stdout.write(f"1|{PROTOCOL}|unix|{folder}/plugin|grpc|{certificate}\n")
        sys.stdout.flush()
        parent = os.getppid()
        while not controller.done.wait(PARENT_CHECK) and os.getppid() == parent:
            pass
        server.stop(GRACE).wait()
    # Terraform waits for the process to end: no need to let Python clear up thread by thread.
    os._exit(0)


def _listen(server: grpc.Server, path: str) -> str:
    """Open the socket, with TLS when Terraform asks for it; the certificate for the handshake line."""
    if not os.environ.get("PLUGIN_CLIENT_CERT"):
        server.add_insecure_port(f"unix:{path}")
        return ""
    key, certificate, der = _self_signed()
    server.add_secure_port(f"unix:{path}", grpc.ssl_server_credentials([(key, certificate)]))
    return base64.b64encode(der).decode().rstrip("=")


def _self_signed() -> tuple[bytes, bytes, bytes]:
    """A key and certificate for this process alone: PEM key, PEM certificate, DER certificate."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    encoding = serialization.Encoding
    return pem, certificate.public_bytes(encoding.PEM), certificate.public_bytes(encoding.DER)
