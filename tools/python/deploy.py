#!/usr/bin/env python3
"""Deploys to AWS: checks first what fails late or silently otherwise, then builds and deploys.

    deploy.py --stage dev
    deploy.py --stage prod OidcIssuer=https://id.example.com OidcAudience=chat
    deploy.py --stage dev --built FOLDER

With --built it builds nothing: FOLDER holds the functions as `sam build` made them, a folder for each logical id. All else comes from
template.yaml here, so a build that somebody else ran gives code to functions, and changes nothing of the template.

Parameters of the command line come on top of those that samconfig.toml has for the stage; what neither names stays as the last
deployment left it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from samtranslator.yaml_helper import yaml_parse

import stack

# Older ones do not know AWS::Serverless::WebSocketApi, or break on a stage name that is a parameter.
OLDEST_SAM = (1, 161)

# A little less than the time in which API Gateway asks the issuer when it makes the authorizer.
PATIENCE = 10  # seconds


def check_sam() -> None:
    """Exits when the SAM CLI is too old."""
    said = subprocess.run([stack.BIN / "sam", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)\.\d+", said)
    if not found or tuple(map(int, found.groups())) < OLDEST_SAM:
        sys.exit(f"{said.strip()} is too old: this template needs {OLDEST_SAM[0]}.{OLDEST_SAM[1]} or newer; `make venv` installs one into .venv")


def check_issuer(issuer: str) -> None:
    """Exits when an OpenID Connect provider does not answer as API Gateway needs it, which shows on AWS only when users sign in."""
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            found = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError) as error:
        sys.exit(f"OidcIssuer: {address} does not answer with a discovery document ({error}): is it the issuer of your provider?")
    if found.get("issuer") != issuer:
        sys.exit(f"OidcIssuer is {issuer}, and {address} says that the issuer is {found.get('issuer')}: "
                 "they have to be equal to the letter, as in the tokens' iss claim")
    if not str(found.get("jwks_uri", "")).startswith("https://"):
        sys.exit(f"OidcIssuer: {address} names no jwks_uri with https://, so nobody can check a token")


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


def source() -> dict:
    """Returns template.yaml with its intrinsic functions in their long form."""
    return yaml_parse((stack.ROOT / "template.yaml").read_text(encoding="utf-8"))


def takes(declared: dict, text: str) -> bool:
    """Tells whether CloudFormation takes a value for a parameter."""
    allowed = declared.get("AllowedValues")
    if allowed is not None and text not in map(str, allowed):
        return False
    if declared["Type"] == "Number":
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
            return False
        return declared.get("MinValue", float("-inf")) <= float(text) <= declared.get("MaxValue", float("inf"))
    elements = [element.strip() for element in text.split(",")] if declared["Type"] == "CommaDelimitedList" else [text]
    return len(text) <= declared.get("MaxLength", 4096) and all(
        re.fullmatch(declared.get("AllowedPattern", r"[\s\S]*"), element, re.ASCII) for element in elements)


def explain(declared: dict) -> str:
    """Says what a parameter takes."""
    if "AllowedValues" in declared:
        return "one of " + ", ".join(map(str, declared["AllowedValues"]))
    if declared["Type"] == "Number":
        return f"a number from {declared.get('MinValue')} to {declared.get('MaxValue')}"
    length = f", at most {declared['MaxLength']} characters" if "MaxLength" in declared else ""
    return declared.get("ConstraintDescription", "another value").strip(" .") + length


def check_values(parameters: dict, account: str, region: str) -> None:
    """Exits when the template does not take a value, or when it does and the value could have no effect there."""
    declared = source()["Parameters"]
    for name, text in parameters.items():
        if name not in declared:
            sys.exit(f"template.yaml has no parameter {name}; docs/configuration.md lists them")
        if not takes(declared[name], text):
            sys.exit(f"{name}={text} is not what it takes: {explain(declared[name])}")
    for name in ("TrustedCallerArns", "ExtraSignerArns"):
        for arn in filter(None, parameters.get(name, "").split(",")):
            if arn.split(":")[4] != account:
                sys.exit(f"{name}: {arn} is of another account than {account}, to which you deploy: API Gateway lets no principal of another account in")
    topic = parameters.get("AlarmTopicArn")
    if topic and topic.split(":")[3] != region:
        sys.exit(f"AlarmTopicArn: {topic} is in another Region than {region}, to which you deploy: an alarm tells topics of its own Region only")


def with_code(folder: Path) -> dict:
    """Returns template.yaml with the functions' code in a folder that somebody else has built."""
    template = source()
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            if not (folder / name).is_dir():
                sys.exit(f"{folder} has no {name}: build with `make build` first, and give the folder .aws-sam/build")
            resource["Properties"]["CodeUri"] = str((folder / name).resolve())
    return template


def check_users(parameters: dict) -> None:
    """Exits when nobody could sign in."""
    if parameters.get("AuthMode", "jwt") != "jwt" or parameters.get("IdentityProvider", "external") == "cognito":
        return
    if not parameters.get("OidcIssuer"):
        sys.exit("Who signs users in? Give OidcIssuer=https://… and OidcAudience=… of your OpenID Connect provider, "
                 "or IdentityProvider=cognito for a user pool of this stack's own.")
    check_issuer(parameters["OidcIssuer"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", required=True, help="section of samconfig.toml")
    parser.add_argument("--built", type=Path, metavar="FOLDER", help="deploy what is built there")
    parser.add_argument("parameters", nargs="*", metavar="Name=value")
    arguments = parser.parse_args()
    name, changed = stack.stack_name(arguments.stage), overrides(stack.settings(arguments.stage), arguments.parameters)
    session = boto3.Session()
    check_sam()
    check_users({**stack.parameters(stack.find(name) or {}), **changed})
    check_values(changed, session.client("sts").get_caller_identity()["Account"], session.region_name or "")

    sam = [stack.BIN / "sam"]
    options = ["--config-env", arguments.stage]
    deploy = [*sam, "deploy", *options, "--no-fail-on-empty-changeset"]
    if os.environ.get("CI") == "true":
        deploy.append("--no-confirm-changeset")  # whoever has to agree has done so before the job began
    if changed:
        deploy += ["--parameter-overrides", *(f"{key}={value}" for key, value in changed.items())]
    commands = [[*sam, "build", *options], deploy]
    if arguments.built:
        template = stack.ROOT / "build/deploy/template.json"
        template.parent.mkdir(parents=True, exist_ok=True)
        template.write_text(json.dumps(with_code(arguments.built), indent=2), encoding="utf-8")
        commands = [[*deploy, "--template-file", template]]
    for command in commands:
        done = subprocess.run(command, cwd=stack.ROOT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"})
        if done.returncode:
            sys.exit(done.returncode)
    print(json.dumps(stack.outputs(stack.describe(name)), indent=2, sort_keys=True))
    print(f"\nDeployed. See that it works: make probe STACK={name}")


if __name__ == "__main__":
    main()
