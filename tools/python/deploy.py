#!/usr/bin/env python3
"""Deploys to AWS: checks first what fails late or silently otherwise, then builds and deploys.

    deploy.py --stage dev
    deploy.py --stage prod OidcIssuer=https://id.example.com OidcAudience=chat

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
    parser.add_argument("parameters", nargs="*", metavar="Name=value")
    arguments = parser.parse_args()
    name, changed = stack.stack_name(arguments.stage), overrides(stack.settings(arguments.stage), arguments.parameters)
    check_sam()
    check_users({**stack.parameters(stack.find(name) or {}), **changed})

    sam = [stack.BIN / "sam"]
    options = ["--config-env", arguments.stage]
    deploy = [*sam, "deploy", *options, "--no-fail-on-empty-changeset"]
    if os.environ.get("CI") == "true":
        deploy.append("--no-confirm-changeset")  # whoever has to agree has done so before the job began
    if changed:
        deploy += ["--parameter-overrides", *(f"{key}={value}" for key, value in changed.items())]
    for command in ([*sam, "build", *options], deploy):
        done = subprocess.run(command, cwd=stack.ROOT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"})
        if done.returncode:
            sys.exit(done.returncode)
    print(json.dumps(stack.outputs(stack.describe(name)), indent=2, sort_keys=True))
    print(f"\nDeployed. See that it works: make probe STACK={name}")


if __name__ == "__main__":
    main()
