#!/usr/bin/env python3
"""Deploys a stack to an emulator of AWS, updates it to each AuthMode and IdentityProvider, and deletes it.

    rehearse.py PYTHON

PYTHON is the interpreter of MiniStack's environment. The commands are those of operators, with the real SAM CLI and the
real transform. docs/testing.md lists what the emulator lacks.
"""

import contextlib
import datetime
import http.server
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import stack

HERE = Path(__file__).parent
LOGS = stack.ROOT / "build/rehearse"
REGION = "eu-west-1"
START = 60  # seconds until the emulator has to answer
STACK = "signedsocket-dev"
BROKEN = "signedsocket-prod"

# A client of a pool that does not exist: its stack is rolled back.
FAILS = json.dumps({"Resources": {"Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {
    "UserPoolId": f"{REGION}_none00000"}}}})


def free_port() -> int:
    """Returns a port that no process listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def emulator(python: str):
    """Runs MiniStack and gives its address."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, (LOGS / "emulator.log").open("w") as log:
        # Without IoT it listens on this computer only.
        environment = {**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0",
                       "STATE_DIR": folder, "TMPDIR": folder, "DOCKER_HOST": f"unix://{folder}/none"}
        process = subprocess.Popen([python, HERE / "emulator.py"], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            wait(f"{address}/_ministack/health", process)
            yield address
        finally:
            process.terminate()
            process.wait()


def wait(address: str, process: subprocess.Popen) -> None:
    """Returns when the emulator answers, and exits when it does not."""
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.2)
    sys.exit(f"the emulator does not answer: see {LOGS}/emulator.log")


@contextlib.contextmanager
def provider():
    """Runs an OpenID Connect provider that answers with its discovery document.

    It gives its issuer and the file with its certificate.
    """
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"issuer": issuer, "jwks_uri": f"{issuer}/keys"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    issuer = f"https://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "provider.pem"
        file.write_bytes(certificate())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield issuer, str(file)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def certificate() -> bytes:
    """Returns a key and its own certificate for 127.0.0.1, for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rehearsal")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5)).not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + made.public_bytes(serialization.Encoding.PEM)


class Rehearsal:
    """Runs the commands and checks the stacks afterwards."""

    def __init__(self, environment: dict) -> None:
        self.environment = environment
        self.steps = 0

    def run(self, *command: object, typed: str = "", fails: str = "", **environment: str) -> str:
        """Runs a command and returns its output. With fails it must fail, and its output must contain that text."""
        self.steps += 1
        log = LOGS / f"{self.steps:02}.log"
        print(f"{self.steps:2}  {' '.join(map(str, command))}", flush=True)
        done = subprocess.run(
            [sys.executable, *map(str, command)], cwd=HERE, input=typed, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**self.environment, **environment})
        log.write_text(done.stdout, encoding="utf-8")
        if fails and done.returncode and fails in done.stdout and "Initiating deployment" not in done.stdout:
            return done.stdout
        if fails or done.returncode:
            sys.exit(f"exit code {done.returncode}, want {'a failure that says ' + fails if fails else 'success'}:\n"
                     + done.stdout[-4000:] + f"\nAll of it is in {log}; the emulator's log is beside it.")
        return done.stdout

    def deploy(self, *parameters: str, built: bool = True, **options: str) -> dict:
        """Deploys the stage dev and returns the stack."""
        folder = ["--built", stack.ROOT / ".aws-sam/build"] if built else []
        self.run("deploy.py", "--stage", "dev", *folder, *parameters, **options)
        return stack.describe(STACK)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Exits when a value is not the wanted one."""
        if found != wanted:
            sys.exit(f"{what}: found {found!r}, want {wanted!r}")


def first_deployment(r: Rehearsal) -> None:
    """Deploys a new stack in the Region of AWS_REGION, with guests, and empties a parameter."""
    made = r.deploy("AuthMode=guest", "GuestRooms=lobby", "AlarmEmail=a@example.com", built=False)
    r.expect("Region", stack.outputs(made)["Region"], REGION)
    elsewhere = boto3.client("cloudformation", region_name="us-east-1").describe_stacks()["Stacks"]
    r.expect("stacks of the Region in AWS_DEFAULT_REGION", elsewhere, [])
    r.expect("topics with AlarmEmail", len(stack.resources(STACK, "AWS::SNS::Topic")), 1)
    made = r.deploy("AlarmEmail=")
    r.expect("AlarmEmail", stack.parameters(made)["AlarmEmail"], "")
    r.expect("GuestRooms, which was not named", stack.parameters(made)["GuestRooms"], "lobby")
    r.expect("topics without AlarmEmail", stack.resources(STACK, "AWS::SNS::Topic"), [])


def updates(r: Rehearsal, issuer: str, trusted: str) -> None:
    """Updates the stack to each AuthMode and IdentityProvider."""
    pool = lambda: len(stack.resources(STACK, "AWS::Cognito::UserPool"))
    made = r.deploy("AuthMode=jwt", "IdentityProvider=cognito")
    r.expect("pools", pool(), 1)
    r.expect("issuer", stack.outputs(made)["OidcIssuer"].startswith(f"https://cognito-idp.{REGION}."), True)
    r.deploy("AuthMode=iam")
    r.expect("secrets in mode iam", len(stack.resources(STACK, "AWS::SecretsManager::Secret")), 1)
    other = ("AuthMode=jwt", "IdentityProvider=external", f"OidcIssuer={issuer}", "OidcAudience=chat")
    r.run("deploy.py", "--stage", "dev", *other, fails="DELETE_USERS=1", SSL_CERT_FILE=trusted)
    r.expect("pools after a refusal", pool(), 1)
    made = r.deploy(*other, SSL_CERT_FILE=trusted, DELETE_USERS="1")
    r.expect("pools", pool(), 0)
    r.expect("issuer", stack.outputs(made)["OidcIssuer"], issuer)
    r.deploy("AuthMode=iam", "DeployFrontend=false")
    r.expect("functions without the page", len(stack.resources(STACK, "AWS::Lambda::Function")), 9)
    r.deploy("AuthMode=guest", "OidcIssuer=", "DeployFrontend=true")
    r.expect("functions", len(stack.resources(STACK, "AWS::Lambda::Function")), 10)


def broken_stack(r: Rehearsal) -> None:
    """Deploys over a stack whose first deployment failed, and deletes it with the command of the message."""
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName=BROKEN, TemplateBody=FAILS)
    with contextlib.suppress(*stack.AWSError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=BROKEN, WaiterConfig={"Delay": 1})
    r.expect("state", stack.describe(BROKEN)["StackStatus"], "ROLLBACK_COMPLETE")
    r.run("deploy.py", "--stage", "prod", "AuthMode=guest", fails=f"make destroy STACK={BROKEN}")
    r.run("destroy.py", "--stack", BROKEN, typed=f"{BROKEN}\n")
    r.expect("stack", stack.find(BROKEN), None)


def deletion(r: Rehearsal) -> None:
    """Deletes the stack and checks that no resource with its name is left."""
    r.run("destroy.py", "--stack", STACK, typed=f"{STACK}\n")
    r.expect("stack", stack.find(STACK), None)
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    r.expect("log groups", [group["logGroupName"] for group in groups if STACK in group["logGroupName"]], [])
    r.expect("tables", boto3.client("dynamodb").list_tables()["TableNames"], [])
    r.expect("APIs", boto3.client("apigatewayv2").get_apis()["Items"], [])
    r.expect("pools", boto3.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"], [])


def main() -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    with emulator(os.path.abspath(sys.argv[1])) as address, provider() as (issuer, trusted):
        # A Region of its own in AWS_DEFAULT_REGION shows that AWS_REGION wins.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_REGION": REGION, "AWS_DEFAULT_REGION": "us-east-1", "YES": "1",
        }
        r = Rehearsal(environment)
        os.environ.clear()
        os.environ.update(environment, AWS_DEFAULT_REGION=REGION)
        first_deployment(r)
        updates(r, issuer, trusted)
        broken_stack(r)
        deletion(r)
    print("A stack was deployed, updated to each AuthMode and IdentityProvider, and deleted.")


if __name__ == "__main__":
    main()
