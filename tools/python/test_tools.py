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
from samcli.cli.types import CfnParameterOverridesType

import checks
import cognito
import deploy
import destroy
import erase
import revoke
import stack
import template

HERE = Path(__file__).parent

# A deployed stack with resources that moto knows.
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

    def run_tool(self, tool: str, *arguments: str, typed: str = "", **environment: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, HERE / tool, *arguments], input=typed, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment})
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

    def test_one_output_is_printed_as_it_is(self) -> None:
        self.assertEqual(self.run_tool("stack.py", "--stack", "chat", "WebSocketUrl"), (0, "wss://abc.example/prod\n"))
        code, printed = self.run_tool("stack.py", "--stack", "chat", "UserPoolId")
        self.assertEqual(code, 1)
        self.assertIn("it has TableName, WebSocketUrl", printed)

    def test_AWS_REGION_wins(self) -> None:
        code, printed = self.run_tool("stack.py", "--stack", "chat", AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="us-east-1")
        self.assertEqual(code, 1, printed)
        self.assertIn("there is no stack chat in this account and Region", printed)

    def test_log_groups_are_those_of_the_stack(self) -> None:
        self.assertEqual(stack.resources("chat", "AWS::Logs::LogGroup"), ["/aws/lambda/chat-Connect"])

    def test_destroy_wants_the_name(self) -> None:
        for typed in ("", "y\n", "chat2\n"):
            code, printed = self.run_tool("destroy.py", "--stack", "chat", typed=typed)
            self.assertEqual(code, 1, printed)
            self.assertIn("nothing was deleted", printed)
        self.assertIsNotNone(stack.find("chat"))

    def test_destroy_says_where_it_would_delete(self) -> None:
        _, printed = self.run_tool("destroy.py", "--stack", "chat")
        self.assertIn("Account  123456789012\nRegion   us-east-1\n", printed)

    def test_samconfig_leads_nowhere_but_where_the_checks_look(self) -> None:
        for line, said in {"region = 'eu-west-1'": "AWS_REGION", "profile = 'work'": "AWS_PROFILE", "stack_name = 'other'": "section global"}.items():
            with tempfile.TemporaryDirectory() as folder, mock.patch.object(stack, "ROOT", Path(folder)):
                text = f"[dev.global.parameters]\nstack_name = 'chat'\n[dev.deploy.parameters]\n{line}\n"
                (Path(folder) / "samconfig.toml").write_text(text, encoding="utf-8")
                with self.assertRaises(SystemExit) as caught:
                    stack.stack_name("dev")
                self.assertIn(said, str(caught.exception))

    def test_parameters_may_stand_on_lines_of_their_own(self) -> None:
        done = subprocess.run(["make", "--dry-run", "--old-file=.venv/.installed", "deploy", "PARAMETERS=A=1\n\nB='x  y'\nC=3"], cwd=stack.ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertIn("A=1  B='x  y' C=3", done.stdout)

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


class Deployments(Account):
    """What deploy.py says of the account before it builds anything. The command runs up to its question."""

    def deploy(self, *arguments: str, **environment: str) -> str:
        code, printed = self.run_tool("deploy.py", "--stage", "dev", *arguments, **environment)
        self.assertEqual(code, 1, printed)
        self.assertNotIn("Building", printed)
        return printed

    def in_state(self, status: str, **parameters: str) -> dict:
        return {"StackName": "x", "StackStatus": status, "StackId": "arn:aws:cloudformation:us-east-1:1:stack/x/11-aa",
                "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]}

    def refused(self, check, *arguments) -> str:
        with self.assertRaises(SystemExit) as caught:
            check(*arguments)
        return str(caught.exception)

    def test_account_region_contents_and_costs_are_printed_before_the_question(self) -> None:
        printed = self.deploy("IdentityProvider=cognito", AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="us-east-1")
        for line in ("Account  123456789012 (arn:aws:", "Region   eu-west-1", "Stack    signedsocket-dev, which is new",
                     "Has      10 functions, 1 WebSocket API, 1 HTTP API", "1 user pool", "Set      LogRetentionDays=3 Identity",
                     "dollars a month with no user connected", "There is no terminal to ask: repeat it with YES=1"):
            self.assertIn(line, printed)

    def test_a_region_is_needed(self) -> None:
        self.assertIn("set AWS_REGION", self.deploy(AWS_REGION="", AWS_DEFAULT_REGION=""))

    def test_the_question_takes_a_yes_only(self) -> None:
        for typed in ("", "\n", "no\n", "dev\n"):
            with mock.patch("sys.stdin", io.StringIO(typed)), contextlib.redirect_stdout(io.StringIO()):
                self.assertIn("nothing was built", self.refused(deploy.ask, "Deploy x"))
        with mock.patch("sys.stdin", io.StringIO("y\n")), contextlib.redirect_stdout(io.StringIO()):
            deploy.ask("Deploy x")

    def test_states_that_allow_no_deployment_are_named_with_the_command_to_run(self) -> None:
        for status, said in {
            "ROLLBACK_COMPLETE": "make destroy STACK=x", "ROLLBACK_FAILED": "make destroy STACK=x",
            "DELETE_FAILED": "make destroy STACK=x", "UPDATE_ROLLBACK_FAILED": "continue-update-rollback --stack-name x",
            "UPDATE_IN_PROGRESS": "another deployment is under way", "CREATE_IN_PROGRESS": "is under way",
        }.items():
            self.assertIn(said, self.refused(checks.check_stack, "x", self.in_state(status)), status)
        for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"):
            checks.check_stack("x", self.in_state(status))
        checks.check_stack("x", None)

    def main(self, described: dict | None, *arguments: str, region: str = "eu-west-1", unreserved: int = 10) -> tuple[str, list[str]]:
        """Runs deploy.py on an account with one stack. Returns the error, and the subcommands of SAM that it ran."""
        limit = {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": unreserved}}
        done, failure = mock.Mock(return_value=mock.Mock(returncode=0)), ""
        with (mock.patch.object(deploy, "identity", return_value=("123456789012", region)), mock.patch.object(checks, "check_sam"),
              mock.patch.object(stack, "find", return_value=described), mock.patch.object(stack, "describe"),
              mock.patch.object(stack, "outputs", return_value={}), mock.patch.object(stack, "resources", return_value=["chat-abc123"]),
              mock.patch.object(boto3, "client", return_value=mock.Mock(get_account_settings=lambda: limit)),
              mock.patch.object(subprocess, "run", done), mock.patch.dict(os.environ, {"YES": "1"}),
              mock.patch("sys.argv", ["deploy.py", "--stage", "dev", *arguments]), contextlib.redirect_stdout(io.StringIO())):
            try:
                deploy.main()
            except SystemExit as ended:
                failure = str(ended.code)
        return failure, [call.args[0][1] for call in done.call_args_list]

    def test_what_would_fail_is_named_before_anything_is_built(self) -> None:
        complete = self.in_state("CREATE_COMPLETE", AuthMode="guest")
        pool = self.in_state("UPDATE_COMPLETE", IdentityProvider="cognito")
        self.assertEqual(self.main(complete), ("", ["build", "deploy"]))
        for described, arguments, settings, said in (
            (self.in_state("ROLLBACK_COMPLETE", AuthMode="guest"), [], {}, "make destroy STACK=signedsocket-dev"),
            (self.in_state("UPDATE_ROLLBACK_FAILED", AuthMode="guest"), [], {}, "continue-update-rollback"),
            (complete, ["UrlLifetimeSeconds=61"], {}, "a number from 1 to 60"),
            (None, [], {}, "Users cannot sign in"),
            (complete, ["IdentityProvider=cognito"], {}, "do not go together"),
            (pool, ["IdentityProvider=external", "AuthMode=guest"], {}, "DELETE_USERS=1"),
            (pool, [], {}, "delete-user-pool-domain --domain chat-abc123"),
            (complete, ["ReaperConcurrency=1"], {}, "Leave them at 0"),
            (complete, [], {"region": "me-south-1"}, "deploy with DeployFrontend=false"),
        ):
            failure, commands = self.main(described, *arguments, **settings)
            self.assertIn(said, failure)
            self.assertEqual(commands, [], said)

    def test_every_check_is_made_before_the_build(self) -> None:
        every = {name for name in vars(checks) if name.startswith("check_")} - {"check_issuer"}  # which check_users calls
        order = []
        with contextlib.ExitStack() as patched:
            for name in every - {"check_sam"}:  # of which main has a mock
                patched.enter_context(mock.patch.object(checks, name, lambda *_, name=name: order.append(name)))
            patched.enter_context(mock.patch.object(deploy, "commands", lambda *_: order.append("commands") or []))
            self.assertEqual(self.main(self.in_state("CREATE_COMPLETE", IdentityProvider="cognito")), ("", []))
        self.assertEqual(order[-1], "commands")
        self.assertEqual(set(order[:-1]), every - {"check_sam"})
        with mock.patch.object(stack, "find", side_effect=AssertionError), mock.patch("sys.argv", ["deploy.py", "--stage", "dev"]), \
                mock.patch.object(subprocess, "run", return_value=mock.Mock(stdout="SAM CLI, version 1.160.1")):
            self.assertIn("too old", self.refused(deploy.main))

    def test_a_protected_stack_that_never_was_complete_can_be_destroyed(self) -> None:
        for status, said in {"ROLLBACK_COMPLETE": "nothing was deleted", "CREATE_COMPLETE": "is protected"}.items():
            described = self.in_state(status, DeletionProtection="on")
            with mock.patch.object(stack, "find", return_value=described), mock.patch("sys.stdin", io.StringIO("")), \
                    mock.patch("sys.argv", ["destroy.py", "--stack", "x"]), contextlib.redirect_stdout(io.StringIO()):
                self.assertIn(said, self.refused(destroy.main), status)

    def test_users_of_a_pool_are_deleted_only_when_that_is_said(self) -> None:
        before = {"IdentityProvider": "cognito"}
        for provider, environment, passes in (("external", {}, False), ("external", {"YES": "1"}, False),
                                              ("external", {"DELETE_USERS": "1"}, True), ("cognito", {}, True)):
            with mock.patch.dict(os.environ, environment):
                if passes:
                    checks.check_pool("x", before, {"IdentityProvider": provider})
                else:
                    self.assertIn("DELETE_USERS=1", self.refused(checks.check_pool, "x", before, {"IdentityProvider": provider}))
        checks.check_pool("x", {}, {"IdentityProvider": "external"})

    def test_an_older_domain_of_the_sign_in_pages_is_named(self) -> None:
        described = self.in_state("CREATE_COMPLETE")
        for domain, passes in {"chat-11-aa": True, "chat-abc123": False}.items():
            with mock.patch.object(stack, "resources", return_value=[domain]):
                if passes:
                    checks.check_domain("x", described)
                else:
                    self.assertIn(f"delete-user-pool-domain --domain {domain}", self.refused(checks.check_domain, "x", described))

    def test_executions_that_the_account_does_not_have_are_not_reserved(self) -> None:
        declared = template.source()
        after = lambda **given: template.complete(declared, given)
        for total, unreserved, before, wanted, passes in (
            (10, 10, {}, after(ReaperConcurrency="1"), False),
            (10, 10, {}, after(), True),
            (1000, 1000, {}, after(ConnectConcurrency="900"), True),
            (1000, 1000, {}, after(ConnectConcurrency="900", FrontendConcurrency="1"), False),
            (1000, 1000, {}, after(ConnectConcurrency="900", FrontendConcurrency="1", DeployFrontend="false"), True),
            (1000, 100, after(ConnectConcurrency="500"), after(FanoutConcurrency="500"), True),
            (1000, 100, after(ConnectConcurrency="500"), after(FanoutConcurrency="501"), False),
        ):
            limit = {"AccountLimit": {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": unreserved}}
            with mock.patch.object(boto3, "client", return_value=mock.Mock(get_account_settings=lambda: limit)):
                if passes:
                    checks.check_concurrency(before, wanted)
                else:
                    self.assertIn(f"its limit is {total}", self.refused(checks.check_concurrency, before, wanted))

    def test_a_region_without_the_adapter_has_no_page(self) -> None:
        self.assertIn("DeployFrontend=false", self.refused(checks.check_region, "me-south-1", {"DeployFrontend": "true"}))
        checks.check_region("me-south-1", {"DeployFrontend": "false"})
        checks.check_region("eu-west-1", {"DeployFrontend": "true"})


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

    def test_the_command_for_a_token_bears_any_folder(self) -> None:
        described = lambda **has: {
            "Outputs": [{"OutputKey": "UserPoolId", "OutputValue": "p"}] if "pool" in has else [],
            "Parameters": [{"ParameterKey": "ExtraSignerArns", "ParameterValue": has.get("signers", "")}]}
        with tempfile.TemporaryDirectory(prefix="a folder's ") as folder:
            tool = Path(folder) / "cognito.py"
            tool.write_text("import sys; print(sys.argv[1:])")
            with mock.patch.object(cognito, "__file__", str(tool)):
                made = cognito.command("chat", described(pool=True, signers="arn"))
            run = subprocess.run(["sh", "-c", made], stdout=subprocess.PIPE, text=True)
            self.assertEqual(run.stdout, "['--stack', 'chat', 'token']\n")
        for has in ({}, {"pool": True}, {"signers": "arn"}):
            self.assertEqual(cognito.command("chat", described(**has)), "")
        self.assertEqual(self.run_tool("cognito.py", "--stack", "chat", "command"), (0, "\n"))

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


class Erase(Account):
    """`make erase`."""

    def run_erase(self, *answers: dict, arguments: tuple[str, ...] = ("--user", "alice"), yes: str = "1",
                  revoked: dict | None = None) -> tuple[list[tuple[str, dict]], str, object]:
        """Runs the command against a stack whose function erase gives these answers, of which one without `done` is a fault.

        Returns the calls, with the waits among them, what was printed, and the exit's text.
        """
        calls, left = [], list(answers)

        def invoke(FunctionName: str, Payload: str) -> dict:
            calls.append((FunctionName, json.loads(Payload)))
            answer = (revoked or {"userId": "x"}) if FunctionName == "chat-Reaper" else left.pop(0)
            fault = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
            return {"Payload": io.BytesIO(json.dumps(answer).encode())} | fault

        functions, made, printed, failure = mock.Mock(invoke=invoke), boto3.client, io.StringIO(), None
        outputs = {"ReaperName": "chat-Reaper", "EraseName": "chat-Erase"}
        with (mock.patch("boto3.client", lambda service, **options: functions if service == "lambda" else made(service, **options)),
              mock.patch("stack.describe"), mock.patch("stack.outputs", return_value=outputs), mock.patch.dict(os.environ, {"YES": yes}),
              mock.patch("time.sleep", lambda seconds: calls.append(("wait", seconds))), mock.patch("sys.stdin", io.StringIO()),
              mock.patch.object(sys, "argv", ["erase.py", "--stack", "chat", *arguments]),
              contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed)):
            try:
                erase.main()
            except SystemExit as ended:
                failure = ended.code
        self.assertEqual(left, [], "answers that no call asked for")
        return calls, printed.getvalue(), failure

    @staticmethod
    def answer(messages: int, cursor: str = "", rooms: int = 2) -> dict:
        """Returns an answer of the function."""
        sums = {"userId": "alice", "rooms": rooms, "messages": messages, "markers": 0}
        return sums | ({"done": False, "cursor": cursor} if cursor else {"done": True})

    def test_it_counts_then_bans_waits_and_erases(self) -> None:
        calls, printed, failure = self.run_erase(self.answer(3), self.answer(1, "c1"), self.answer(3))
        self.assertEqual([name for name, _ in calls], ["chat-Erase", "chat-Reaper", "wait", "chat-Erase", "chat-Erase"])
        counted, ban, wait, first, second = (event for _, event in calls)
        self.assertEqual((counted["erase"]["user"], counted["erase"]["count"]), ("alice", True))
        self.assertEqual((ban["revoke"]["user"], ban["revoke"]["atLeast"]), ("alice", True))
        self.assertGreater(ban["revoke"]["bannedUntil"], 1_700_000_000)
        self.assertEqual(wait, 30)
        self.assertNotIn("count", first["erase"])
        self.assertEqual((first["erase"].get("cursor"), second["erase"]["cursor"]), (None, "c1"))
        self.assertRegex(second["erase"]["by"], r"^arn:aws:(iam|sts)::\d{12}:")
        self.assertIn("removed. messages: 3, rooms: 2", printed)
        self.assertIsNone(failure)

    def test_a_sub_claim_goes_to_both_functions(self) -> None:
        calls, _, _ = self.run_erase(self.answer(1), self.answer(1), arguments=("--sub", "auth0|alice"))
        self.assertEqual((calls[0][1]["erase"]["sub"], calls[1][1]["revoke"]["sub"]), ("auth0|alice", "auth0|alice"))

    def test_without_a_yes_nothing_happens(self) -> None:
        calls, printed, failure = self.run_erase(self.answer(3), yes="")
        self.assertEqual([name for name, _ in calls], ["chat-Erase"])
        self.assertIn("messages: 3, rooms: 2", printed)
        self.assertIn("YES=1", failure)

    def test_a_user_whom_nothing_names_is_not_banned(self) -> None:
        calls, printed, failure = self.run_erase(self.answer(0, rooms=0))
        self.assertEqual(([name for name, _ in calls], failure), (["chat-Erase"], None))
        self.assertIn("nothing to remove", printed)

    def test_traces_without_a_text_are_removed(self) -> None:
        calls, _, _ = self.run_erase(self.answer(0, rooms=1), self.answer(0, rooms=1))
        self.assertEqual(len(calls), 4)

    def test_a_fault_is_tried_again_from_the_same_place(self) -> None:
        fault = {"errorMessage": "erase from log: log is busy"}
        calls, printed, failure = self.run_erase(self.answer(3), self.answer(1, "c1"), fault, fault, self.answer(3))
        self.assertEqual([event["erase"].get("cursor") for name, event in calls if name == "chat-Erase"], [None, None, "c1", "c1", "c1"])
        self.assertIn("log is busy", printed)
        self.assertIsNone(failure)
        self.assertIn("repeat the command", self.run_erase(self.answer(3), fault, fault, fault)[2])
        self.assertIn("nothing was changed", self.run_erase(fault, fault, fault)[2])

    def test_without_a_ban_nothing_is_erased(self) -> None:
        calls, _, failure = self.run_erase(self.answer(3), revoked={"errorMessage": "x"})
        self.assertEqual([name for name, _ in calls], ["chat-Erase", "chat-Reaper"])
        self.assertIn("repeat the command", failure)


class Issuer(http.server.BaseHTTPRequestHandler):
    """Answers with the discovery document of its server."""

    def do_GET(self) -> None:
        self.server.agents.append(self.headers["User-Agent"])
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
        server.agents = self.agents = []
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
        checks.check_issuer(self.issuer)
        self.assertEqual(self.agents, ["signedsocket-deploy"])

    def test_an_issuer_needs_no_certificates_of_the_system(self) -> None:
        with mock.patch.dict(os.environ, {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}):
            self.assertGreater(checks.authorities().cert_store_stats()["x509_ca"], 50)

    def test_bad_issuers_are_told_apart(self) -> None:
        for path, said in {
            "/missing": "does not answer with a discovery document", "/html": "does not answer with a discovery document",
            "/other": "equal to the letter", "/slash": "equal to the letter", "/plain": "no jwks_uri with https://",
        }.items():
            self.assertIn(said, self.refused(checks.check_issuer, self.issuer + path), path)

    def test_somebody_has_to_sign_users_in(self) -> None:
        self.assertIn("IdentityProvider=cognito", self.refused(checks.check_users, {}))
        for enough in ({"IdentityProvider": "cognito"}, {"AuthMode": "guest"}, {"AuthMode": "iam"}, {"OidcIssuer": self.issuer}):
            checks.check_users(enough)

    def test_the_command_line_comes_on_top_of_the_stage(self) -> None:
        stage = {"deploy": {"parameters": {"parameter_overrides": ["LogRetentionDays=3", "AllowedOrigins=https://a.example,https://b.example"]}}}
        self.assertEqual(deploy.overrides(stage, ["LogRetentionDays=7", "RoomsClaim="]),
                         {"LogRetentionDays": "7", "AllowedOrigins": "https://a.example,https://b.example", "RoomsClaim": ""})
        self.assertIn("Name=value", self.refused(deploy.overrides, stage, ["LogRetentionDays"]))

    def test_sam_reads_every_value_as_it_was_given(self) -> None:
        given = {"AlarmEmail": "", "AllowedOrigins": "https://a.example,https://b.example", "RoomsClaim": 'a "b" c', "X": "a=b 'c'"}
        read = CfnParameterOverridesType().convert(tuple(deploy.quoted(*pair) for pair in given.items()), None, None)
        self.assertEqual(read, given)
        self.assertIn("backslash", self.refused(deploy.quoted, "OidcIssuer", "https://a.example/\\"))

    def test_parameters_that_do_not_go_together_are_told_before(self) -> None:
        check = lambda **given: checks.check_rules(template.complete(template.source(), given))
        check(IdentityProvider="cognito")
        check(OidcIssuer="https://id.example", AlarmEmail="a@b.example")
        check(AuthMode="guest")
        for given, said in (
            ({}, "needs OidcIssuer"), ({"IdentityProvider": "cognito", "OidcIssuer": "https://id.example"}, "leave OidcIssuer empty"),
            ({"IdentityProvider": "cognito", "AuthMode": "guest"}, "needs no user pool"),
            ({"AuthMode": "guest", "AlarmEmail": "a@b.example", "AlarmTopicArn": "arn"}, "not to both"),
        ):
            self.assertIn(said, self.refused(lambda: check(**given)), given)

    def test_a_plan_has_what_the_conditions_leave(self) -> None:
        plan = lambda **given: deploy.plan(template.complete(template.source(), given))
        self.assertIn("9 functions", plan(DeployFrontend="false"))
        self.assertIn("1 secret,", plan(AuthMode="iam"))
        self.assertNotIn("user pool", plan())

    def test_an_update_says_that_it_begins_to_store_messages(self) -> None:
        tells = "Stores   from now on the messages of 7 days, which members can read; HistoryDays=0 stores none\n"
        for before, after, line in (({"StageName": "prod"}, "7", tells), ({"HistoryDays": "0"}, "7", tells),
                                    ({}, "7", ""), ({"HistoryDays": "7"}, "30", ""), ({"HistoryDays": "7"}, "0", "")):
            self.assertEqual(deploy.history(before, {"HistoryDays": after}), line, (before, after))

    def test_costs_at_rest_are_those_of_the_page(self) -> None:
        rest = lambda **given: deploy.at_rest(template.complete(template.source(), given))
        self.assertGreater(rest(), 5)
        self.assertAlmostEqual(rest(AuthMode="iam"), rest() + 0.40)

    def test_a_stage_that_shows_what_changes_asks_then(self) -> None:
        self.assertIn("--confirm-changeset", deploy.commands("prod", {}, None, True)[-1])
        self.assertIn(stack.ROOT / "samconfig.toml", deploy.commands("prod", {}, None, True)[-1])
        self.assertIn("--no-confirm-changeset", deploy.commands("dev", {}, None, False)[-1])

    def test_values_that_the_template_does_not_take_are_told_before(self) -> None:
        check = lambda **given: checks.check_values(given, "111122223333", "eu-west-1")
        check(AllowedOrigins="https://a.example,https://b.example:8443", DefaultRooms="a,a", GuestRooms="a:r,a,b:r", UrlLifetimeSeconds="10", OidcAudience="a, b", AuthMode="iam",
              TrustedCallerArns="arn:aws:iam::111122223333:role/team/web", AlarmTopicArn="arn:aws:sns:eu-west-1:111122223333:alarms", LogRetentionDays="14")
        for given, said in {
            ("AllowedOrigin", "https://a.example"): "no parameter AllowedOrigin", ("AllowedOrigins", "https://a.example:443"): "as browsers write an origin",
            ("AuthMode", "oidc"): "one of jwt, iam, guest", ("UrlLifetimeSeconds", "61"): "a number from 1 to 60", ("UrlLifetimeSeconds", "ten"): "a number",
            ("OidcAudience", "a,,b"): "does not take", ("DefaultRooms", "a:x"): "each with or without :r", ("GuestRooms", "a:"): "each with or without :r", ("ConnectConcurrency", "00"): "a whole number from 0 to 1000",
            ("TrustedCallerArns", "arn:aws:iam::111122223333:role/team/"): "does not take",
            ("TrustedCallerArns", "arn:aws:iam::444455556666:role/web"): "of another account", ("ExtraSignerArns", "arn:aws:iam::444455556666:user/dev"): "of another account",
            ("AlarmTopicArn", "arn:aws:sns:us-east-1:111122223333:alarms"): "in another Region", ("LogRetentionDays", "2"): "one of 1, 3, 5",
            ("ExtraSignerArns", ",".join(["arn:aws:iam::111122223333:user/dev"] * 50)): "at most 1500 characters",
        }.items():
            self.assertIn(said, self.refused(lambda: check(**dict([given]))), given)

    def test_all_defaults_are_taken(self) -> None:
        for name, declared in template.source()["Parameters"].items():
            self.assertTrue(template.takes(declared, str(declared["Default"])), name)

    def test_a_build_of_others_changes_code_and_nothing_else(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn("make build", self.refused(template.with_code, Path(folder)))
            functions = [name for name, resource in template.source()["Resources"].items() if resource["Type"] == "AWS::Serverless::Function"]
            for name in functions:
                (Path(folder) / name).mkdir()
            (Path(folder) / "template.yaml").write_text("Resources: {}")  # which `sam build` leaves there
            made = template.with_code(Path(folder))
            for name in functions:
                self.assertEqual(Path(made["Resources"][name]["Properties"].pop("CodeUri")), (Path(folder) / name).resolve())
            self.assertEqual(made, template.source())

    def test_old_sam_is_refused(self) -> None:
        for said, fits in {"SAM CLI, version 1.160.1": False, "SAM CLI, version 1.161.0": True, "SAM CLI, version 2.0.0": True, "sam?": False}.items():
            with mock.patch.object(subprocess, "run", return_value=mock.Mock(stdout=said)), contextlib.redirect_stdout(io.StringIO()):
                if fits:
                    checks.check_sam()
                else:
                    self.assertIn("too old", self.refused(checks.check_sam))


if __name__ == "__main__":
    unittest.main()
