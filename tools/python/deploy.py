#!/usr/bin/env python3
"""Deploys to AWS: checks first for errors that show late or not at all otherwise, asks, then builds and deploys.

    deploy.py --stage dev
    deploy.py --stage prod OidcIssuer=https://id.example.com OidcAudience=chat AlarmEmail=
    deploy.py --stage dev --built FOLDER

With --built it builds nothing: FOLDER holds the functions as `sam build` made them, a folder for each logical id.
Everything else comes from template.yaml here, so a build of another job cannot change the template.

Parameters of the command line win over those of the stage in samconfig.toml. Other parameters keep their values of the
last deployment. Name= empties a parameter.

The environment: YES=1 deploys without a question. DELETE_USERS=1 allows a change that deletes the stack's user pool.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3

import checks
import stack
import template

# The names of a plan's resources, in this order.
PLURALS = {
    "AWS::Serverless::Function": "functions",
    "AWS::Serverless::WebSocketApi": "WebSocket APIs",
    "AWS::ApiGatewayV2::Api": "HTTP APIs",
    "AWS::DynamoDB::Table": "tables",
    "AWS::Cognito::UserPool": "user pools",
    "AWS::SecretsManager::Secret": "secrets",
    "AWS::SQS::Queue": "queues",
    "AWS::IAM::Role": "roles",
    "AWS::Logs::LogGroup": "log groups",
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::CloudWatch::Dashboard": "dashboards",
}


def overrides(section: dict, given: list[str]) -> dict:
    """Returns the parameters that a stage and a command line set."""
    listed = section.get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    found = {}
    for override in [*(listed if isinstance(listed, list) else listed.split()), *given]:
        name, equals, value = override.partition("=")
        if not equals or not name:
            sys.exit(f"{override} is not of the form Name=value")
        found[name] = value
    return found


def quoted(name: str, value: str) -> str:
    """Returns a parameter in the form of sam's --parameter-overrides. Without quotes it takes no empty value."""
    if "\\" in value:
        sys.exit(f"{name}={value}: SAM CLI cannot pass a backslash on; set this value in the CloudFormation console")
    escaped = value.replace('"', '\\"')
    return f'{name}="{escaped}"'


def at_rest(parameters: dict) -> float:
    """Returns the dollars a month of a stack to which no user is connected, from the table in docs/scale.md."""
    page = (stack.ROOT / "docs/scale.md").read_text(encoding="utf-8")
    _, _, table = page.partition("<!-- begin rest: make docs -->")
    rows = re.findall(r"^\| \**(.+?)\** \| \**([\d.]+)\** \|$", table.partition("<!-- end rest -->")[0], re.MULTILINE)
    dollars = {name: float(amount) for name, amount in rows}
    keeps_secret = template.created(template.source(), parameters).get("AWS::SecretsManager::Secret", 0)
    return dollars["Together"] + keeps_secret * dollars["A secret, in mode iam with the page"]


def plan(parameters: dict) -> str:
    """Returns a list of the resources of a stack with these parameters."""
    counted = template.created(template.source(), parameters)
    named = [f"{counted[kind]} {plural if counted[kind] > 1 else plural.removesuffix('s')}"
             for kind, plural in PLURALS.items() if kind in counted]
    return ", ".join(named) + f"; {sum(counted.values())} resources of template.yaml"


def ask(command: str) -> None:
    """Asks a question, and exits without a yes."""
    try:
        answer = input(f"{command}? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        sys.exit("nothing was built or deployed")


def identity() -> tuple[str, str]:
    """Returns account and Region of the credentials, and lets all commands that follow use this Region."""
    session = boto3.Session()
    region = session.region_name
    if not region:
        sys.exit("No Region: set AWS_REGION, as in AWS_REGION=eu-west-1 make deploy …, or give your AWS profile one")
    os.environ.update({"AWS_REGION": region, "AWS_DEFAULT_REGION": region})
    try:
        caller = session.client("sts").get_caller_identity()
    except stack.AWSError as error:
        sys.exit(f"no AWS credentials that work: {error}. Choose a profile with AWS_PROFILE, or sign in with "
                 f"`{stack.aws('sso login')}`; `{stack.aws('sts get-caller-identity')}` shows who you are to AWS.")
    print(f"Account  {caller['Account']} ({caller['Arn']})\nRegion   {region}", flush=True)
    return caller["Account"], region


def history(before: dict, after: dict) -> str:
    """Returns a line that says from when on a stack stores messages, or nothing. before is empty for a new stack."""
    days = after["HistoryDays"]
    if not before or days == "0" or before.get("HistoryDays", "0") != "0":
        return ""
    return f"Stores   from now on the messages of {days} days, which members can read; HistoryDays=0 stores none\n"


def commands(stage: str, changed: dict, built: Path | None, confirm: bool) -> list[list]:
    """Returns the command lines that build and deploy."""
    # SAM looks for samconfig.toml beside the template. A template of another job's build has none there.
    options = ["--config-file", stack.ROOT / "samconfig.toml", "--config-env", stage]
    deploy = [stack.BIN / "sam", "deploy", *options, "--no-fail-on-empty-changeset",
              "--confirm-changeset" if confirm else "--no-confirm-changeset"]
    if changed:
        deploy += ["--parameter-overrides", *(quoted(key, value) for key, value in changed.items())]
    if not built:
        return [[stack.BIN / "sam", "build", *options], deploy]
    made = stack.ROOT / "build/deploy/template.json"
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_text(json.dumps(template.with_code(built), indent=2), encoding="utf-8")
    return [[*deploy, "--template-file", made]]


def check(name: str, changed: dict, account: str, region: str) -> None:
    """Exits with an error and its remedy before the build, or prints the deployment's plan."""
    described = stack.find(name)
    checks.check_stack(name, described)
    before = stack.parameters(described) if described else {}
    checks.check_values(changed, account, region)
    after = template.complete(template.source(), {**before, **changed})
    checks.check_users(after)
    checks.check_rules(after)
    checks.check_pool(name, before, after)
    checks.check_region(region, after)
    checks.check_concurrency(before, after)
    if described and after["IdentityProvider"] == "cognito":
        checks.check_domain(name, described)
    print(f"Stack    {name}, which is {'updated' if before else 'new'}\nHas      {plan(after)}")
    print(history(before, after), end="")
    print(f"Set      {' '.join(f'{key}={value}' for key, value in changed.items()) or 'nothing'}")
    print(f"Costs    {at_rest(after):.2f} dollars a month with no user connected; docs/scale.md has the rest", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", required=True, help="section of samconfig.toml")
    parser.add_argument("--built", type=Path, metavar="FOLDER", help="folder with built functions to deploy")
    parser.add_argument("parameters", nargs="*", metavar="Name=value")
    arguments = parser.parse_args()
    section = stack.settings(arguments.stage)
    name, changed = stack.stack_name(arguments.stage), overrides(section, arguments.parameters)
    checks.check_sam()
    check(name, changed, *identity())

    # With confirm_changeset the question comes later, when CloudFormation has listed the changes.
    later = section.get("deploy", {}).get("parameters", {}).get("confirm_changeset", False)
    agreed = os.environ.get("YES") == "1"
    if not agreed and not sys.stdin.isatty():
        sys.exit("There is no terminal to ask: repeat it with YES=1")
    if not agreed and not later:
        ask(f"Deploy {name}")
    for command in commands(arguments.stage, changed, arguments.built, later and not agreed):
        done = subprocess.run(command, cwd=stack.ROOT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"})
        if done.returncode:
            sys.exit(done.returncode)
    print(json.dumps(stack.outputs(stack.describe(name)), indent=2, sort_keys=True))
    print(f"\nDeployed. Check that it works: make probe STACK={name}")


if __name__ == "__main__":
    main()
