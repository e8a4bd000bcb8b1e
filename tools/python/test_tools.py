"""Tests of the commands for deployed stacks, against moto's CloudFormation and an issuer on loopback. Run by `make test`."""

import base64
import contextlib
import http.server
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request
from pathlib import Path
from unittest import mock

import boto3
from moto.server import ThreadedMotoServer

import cognito
import deploy
import revoke
import stack

HERE = Path(__file__).parent

# What a deployed stack shows of itself, with resources that moto knows.
TEMPLATE = json.dumps({
    "Parameters": {"DeletionProtection": {"Type": "String", "Default": "off"}},
    "Resources": {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "/aws/lambda/${AWS::StackName}-Connect"}}},
    },
    "Outputs": {"WebSocketUrl": {"Value": "wss://abc.example/prod"}, "TableName": {"Value": {"Ref": "Table"}}},
})


def make(name: str, protection: str) -> None:
    """Deploys a stack."""
    boto3.client("cloudformation").create_stack(
        StackName=name, TemplateBody=TEMPLATE, Parameters=[{"ParameterKey": "DeletionProtection", "ParameterValue": protection}])


class Account(unittest.TestCase):
    """An account with two stacks."""

    @classmethod
    def setUpClass(cls) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        cls.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        cls.moto.start()
        host, port = cls.moto.get_host_and_port()
        cls.environment = mock.patch.dict(os.environ, {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        })
        cls.environment.start()
        for name, protection in (("chat", "off"), ("kept", "on")):
            make(name, protection)

    @classmethod
    def tearDownClass(cls) -> None:
        host, port = cls.moto.get_host_and_port()
        urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
        cls.environment.stop()
        cls.moto.stop()

    def run_tool(self, tool: str, *arguments: str, typed: str = "") -> tuple[int, str]:
        done = subprocess.run([sys.executable, HERE / tool, *arguments], input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout


class DeployedStacks(Account):
    """Commands about a stack that is there, or is not."""

    def test_outputs_have_the_form_of_a_local_stages(self) -> None:
        code, printed = self.run_tool("stack.py", "--stack", "chat")
        self.assertEqual(code, 0, printed)
        found = json.loads(printed)
        self.assertEqual(sorted(found), ["TableName", "WebSocketUrl"])
        self.assertEqual(found["WebSocketUrl"], "wss://abc.example/prod")

    def test_a_stage_is_the_stack_that_samconfig_names(self) -> None:
        code, printed = self.run_tool("stack.py", "--stage", "dev")
        self.assertEqual(code, 1)
        self.assertIn("there is no stack signedsocket-dev", printed)
        self.assertIn("make deploy", printed)

    def test_log_groups_are_those_of_the_stack(self) -> None:
        self.assertEqual(stack.resources("chat", "AWS::Logs::LogGroup"), ["/aws/lambda/chat-Connect"])

    def test_destroy_wants_the_name(self) -> None:
        for typed in ("", "y\n", "chat2\n"):
            code, printed = self.run_tool("destroy.py", "--stack", "chat", typed=typed)
            self.assertEqual(code, 1, printed)
            self.assertIn("nothing was deleted", printed)
        self.assertIsNotNone(stack.find("chat"))

    def test_destroy_leaves_what_is_protected(self) -> None:
        code, printed = self.run_tool("destroy.py", "--stack", "kept", typed="kept\n")
        self.assertEqual(code, 1, printed)
        self.assertIn("DeletionProtection=off", printed)
        self.assertIsNotNone(stack.find("kept"))

    def test_destroy_deletes_that_stack_and_no_other(self) -> None:
        make("gone", "off")
        code, printed = self.run_tool("destroy.py", "--stack", "gone", typed="gone\n")
        self.assertEqual(code, 0, printed)
        self.assertIsNone(stack.find("gone"))
        self.assertIsNotNone(stack.find("chat"))


class TestUsers(Account):
    """Tokens of a user pool."""

    def test_a_user_is_made_once_and_removed_in_the_end(self) -> None:
        api = boto3.client("cognito-idp")
        pool = api.create_user_pool(PoolName="users")["UserPool"]["Id"]
        client = api.create_user_pool_client(UserPoolId=pool, ClientName="page", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"])["UserPoolClient"]["ClientId"]
        api.admin_create_user(UserPoolId=pool, Username="alice")
        for _ in range(2):
            claims = cognito.token(api, pool, client, "alice").split(".")[1]
            self.assertIn("e2e-alice", base64.urlsafe_b64decode(claims + "===").decode())
        self.assertEqual(cognito.clean(api, pool), 1)
        self.assertEqual([user["Username"] for user in api.list_users(UserPoolId=pool)["Users"]], ["alice"])

    def test_without_a_pool_it_says_what_to_do(self) -> None:
        code, printed = self.run_tool("cognito.py", "--stack", "chat", "token")
        self.assertEqual(code, 1)
        self.assertIn("SIGNEDSOCKET_TOKEN_COMMAND", printed)
        self.assertEqual(self.run_tool("cognito.py", "--stack", "chat", "clean"), (0, ""))


class Revocations(Account):
    """`make revoke`."""

    def run_revoke(self, *arguments: str, pool: str = "", error: str = "", now: float = 1_700_000_000) -> tuple[dict, str, object]:
        """Runs the command against a stack whose reaper answers; returns the event that it got, what was printed, and the exit's text."""
        functions = mock.Mock()
        functions.invoke.return_value = {"Payload": io.BytesIO(b'{"userId":"x"}')} | ({"FunctionError": error} if error else {})
        made = boto3.client
        outputs = {"ReaperName": "chat-Reaper"} | ({"UserPoolId": pool} if pool else {})
        printed, failure = io.StringIO(), None
        with (mock.patch("boto3.client", lambda service, **options: functions if service == "lambda" else made(service, **options)),
              mock.patch("stack.describe"), mock.patch("stack.outputs", return_value=outputs),
              mock.patch.object(sys, "argv", ["revoke.py", "--stack", "chat", *arguments]), contextlib.redirect_stdout(printed)):
            try:
                revoke.main(now)
            except SystemExit as ended:
                failure = ended.code
        self.assertEqual(functions.invoke.call_args.kwargs["FunctionName"], "chat-Reaper")
        return json.loads(functions.invoke.call_args.kwargs["Payload"])["revoke"], printed.getvalue(), failure

    def test_a_user_is_banned_for_an_hour_unless_told_otherwise(self) -> None:
        for arguments, want in (
                ([], 1_700_003_600), (["--until", "0"], 0), (["--until", "none"], None), (["--until", "2027-01-31"], 1_801_353_600),
                (["--until", "2027-01-31T01:00:00+01:00"], 1_801_353_600), (["--until", "1800000000"], 1_800_000_000)):
            event, _, failure = self.run_revoke("--user", "alice", *arguments)
            self.assertEqual((event.get("bannedUntil"), failure), (want, None), arguments)
            self.assertEqual(event.get("atLeast"), None if arguments else True, "the hour that no operator asked for shortens no ban")

    def test_the_reaper_is_told_who_asks(self) -> None:
        event, printed, _ = self.run_revoke("--user", "auth0|alice")
        self.assertEqual(event["user"], "auth0|alice")
        self.assertRegex(event["by"], r"^arn:aws:(iam|sts)::\d{12}:")
        self.assertIn('"userId":"x"', printed)

    def test_a_user_of_the_stacks_pool_is_signed_out_there(self) -> None:
        api = boto3.client("cognito-idp")
        pool = api.create_user_pool(PoolName="users")["UserPool"]["Id"]
        client = api.create_user_pool_client(UserPoolId=pool, ClientName="page", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"])["UserPoolClient"]["ClientId"]
        token = cognito.token(api, pool, client, "bob")
        self.assertEqual(api.get_user(AccessToken=token)["Username"], "e2e-bob")
        _, printed, failure = self.run_revoke("--user", "e2e-bob", pool=pool)
        self.assertIn("signed out of the pool", printed)
        self.assertIsNone(failure)
        with self.assertRaises(api.exceptions.NotAuthorizedException):
            api.get_user(AccessToken=token)
        for user in ("carol", "guest-pool", "h--" + 32 * "A"):
            self.assertIn("nothing to sign out", self.run_revoke("--user", user, pool=pool)[1], user)

    def test_lifting_a_ban_signs_nobody_out(self) -> None:
        self.assertNotIn("pool", self.run_revoke("--user", "bob", "--until", "0", pool="us-east-1_none")[1])

    def test_a_failure_says_what_has_not_happened(self) -> None:
        self.assertIn("repeat the command", self.run_revoke("--user", "alice", error="Unhandled")[2])
        self.assertIn("AdminUserGlobalSignOut", self.run_revoke("--user", "alice", pool="us-east-1_none")[2])


class Issuer(http.server.BaseHTTPRequestHandler):
    """Answers with the discovery document of its server."""

    def do_GET(self) -> None:
        found = self.server.documents.get(self.path)
        self.send_response(200 if found is not None else 404)
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Checks(unittest.TestCase):
    """What is checked before a deployment."""

    def setUp(self) -> None:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
        self.issuer = f"http://127.0.0.1:{server.server_port}"
        good = {"issuer": self.issuer, "jwks_uri": "https://id.example/keys"}
        server.documents = {
            f"{path}/.well-known/openid-configuration": json.dumps(document).encode()
            for path, document in {
                "": good, "/other": {**good, "issuer": "https://id.example"}, "/slash": {**good, "issuer": self.issuer + "/slash/"},
                "/plain": {"issuer": self.issuer + "/plain", "jwks_uri": "http://id.example/keys"},
            }.items()
        } | {"/html/.well-known/openid-configuration": b"<html>"}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def refused(self, check, *arguments) -> str:
        with self.assertRaises(SystemExit) as caught:
            check(*arguments)
        return str(caught.exception)

    def test_a_good_issuer_passes(self) -> None:
        deploy.check_issuer(self.issuer)

    def test_bad_issuers_are_told_apart(self) -> None:
        for path, said in {
            "/missing": "does not answer with a discovery document", "/html": "does not answer with a discovery document",
            "/other": "equal to the letter", "/slash": "equal to the letter", "/plain": "no jwks_uri with https://",
        }.items():
            self.assertIn(said, self.refused(deploy.check_issuer, self.issuer + path), path)

    def test_somebody_has_to_sign_users_in(self) -> None:
        self.assertIn("IdentityProvider=cognito", self.refused(deploy.check_users, {}))
        for enough in ({"IdentityProvider": "cognito"}, {"AuthMode": "guest"}, {"AuthMode": "iam"}, {"OidcIssuer": self.issuer}):
            deploy.check_users(enough)

    def test_the_command_line_comes_on_top_of_the_stage(self) -> None:
        stage = {"deploy": {"parameters": {"parameter_overrides": ["LogRetentionDays=3", "AllowedOrigins=https://a.example,https://b.example"]}}}
        self.assertEqual(deploy.overrides(stage, ["LogRetentionDays=7", "RoomsClaim="]),
                         {"LogRetentionDays": "7", "AllowedOrigins": "https://a.example,https://b.example", "RoomsClaim": ""})
        self.assertIn("Name=value", self.refused(deploy.overrides, stage, ["LogRetentionDays"]))

    def test_values_that_the_template_does_not_take_are_told_before(self) -> None:
        check = lambda **given: deploy.check_values(given, "111122223333", "eu-west-1")
        check(AllowedOrigins="https://a.example,https://b.example:8443", DefaultRooms="a,a", UrlLifetimeSeconds="10", OidcAudience="a, b", AuthMode="iam",
              TrustedCallerArns="arn:aws:iam::111122223333:role/team/web", AlarmTopicArn="arn:aws:sns:eu-west-1:111122223333:alarms", LogRetentionDays="14")
        for given, said in {
            ("AllowedOrigin", "https://a.example"): "no parameter AllowedOrigin", ("AllowedOrigins", "https://a.example:443"): "as browsers write an origin",
            ("AuthMode", "oidc"): "one of jwt, iam, guest", ("UrlLifetimeSeconds", "61"): "a number from 1 to 60", ("UrlLifetimeSeconds", "ten"): "a number",
            ("OidcAudience", "a,,b"): "is not what it takes", ("ConnectConcurrency", "00"): "a whole number from 0 to 1000",
            ("TrustedCallerArns", "arn:aws:iam::111122223333:role/team/"): "is not what it takes",
            ("TrustedCallerArns", "arn:aws:iam::444455556666:role/web"): "of another account", ("ExtraSignerArns", "arn:aws:iam::444455556666:user/dev"): "of another account",
            ("AlarmTopicArn", "arn:aws:sns:us-east-1:111122223333:alarms"): "in another Region", ("LogRetentionDays", "2"): "one of 1, 3, 5",
            ("ExtraSignerArns", ",".join(["arn:aws:iam::111122223333:user/dev"] * 50)): "at most 1500 characters",
        }.items():
            self.assertIn(said, self.refused(lambda: check(**dict([given]))), given)

    def test_all_defaults_are_taken(self) -> None:
        for name, declared in deploy.source()["Parameters"].items():
            self.assertTrue(deploy.takes(declared, str(declared["Default"])), name)

    def test_a_build_of_others_changes_code_and_nothing_else(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn("make build", self.refused(deploy.with_code, Path(folder)))
            functions = [name for name, resource in deploy.source()["Resources"].items() if resource["Type"] == "AWS::Serverless::Function"]
            for name in functions:
                (Path(folder) / name).mkdir()
            (Path(folder) / "template.yaml").write_text("Resources: {}")  # which `sam build` leaves there
            made = deploy.with_code(Path(folder))
            for name in functions:
                self.assertEqual(Path(made["Resources"][name]["Properties"].pop("CodeUri")), (Path(folder) / name).resolve())
            self.assertEqual(made, deploy.source())

    def test_old_sam_is_refused(self) -> None:
        for said, fits in {"SAM CLI, version 1.160.1": False, "SAM CLI, version 1.161.0": True, "SAM CLI, version 2.0.0": True, "sam?": False}.items():
            with mock.patch.object(subprocess, "run", return_value=mock.Mock(stdout=said)), contextlib.redirect_stdout(io.StringIO()):
                if fits:
                    deploy.check_sam()
                else:
                    self.assertIn("too old", self.refused(deploy.check_sam))


if __name__ == "__main__":
    unittest.main()
