"""Checks before a deployment, for errors that show late or not at all otherwise. Each check exits with a remedy."""

import json
import os
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
import certifi

import stack
import template

# Older ones do not know AWS::Serverless::WebSocketApi, or break on a stage name that is a parameter.
OLDEST_SAM = (1, 161)

# A little less than API Gateway's limit for the issuer's answer.
PATIENCE = 10  # seconds

# Executions of an account that no function may reserve. An account with fewer can reserve none.
UNRESERVED = 100

# Regions without the layer of the Lambda Web Adapter.
NO_ADAPTER = ("me-south-1",)


def check_sam() -> None:
    """Exits when the SAM CLI is too old."""
    said = subprocess.run([stack.BIN / "sam", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)\.\d+", said)
    if not found or tuple(map(int, found.groups())) < OLDEST_SAM:
        sys.exit(f"{said.strip()} is too old: this template needs {OLDEST_SAM[0]}.{OLDEST_SAM[1]} or newer; "
                 "`make venv` installs one into .venv")


def authorities() -> ssl.SSLContext:
    """Returns the certificate authorities of this computer and of certifi: python.org's Python on macOS has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def check_issuer(issuer: str) -> None:
    """Exits when API Gateway could not use an OpenID Connect provider.

    On AWS that shows only when users sign in.
    """
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    # Providers behind a firewall for web applications refuse the User-Agent of Python's own.
    request = urllib.request.Request(address, headers={"User-Agent": "signedsocket-deploy", "Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, context=authorities()) as answer:
            found = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError) as error:
        sys.exit(f"OidcIssuer: {address} does not answer with a discovery document ({error}): "
                 "is it the issuer of your provider?")
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        named = found.get("issuer") if isinstance(found, dict) else found
        sys.exit(f"OidcIssuer is {issuer}, and {address} says that the issuer is {named}: "
                 "they have to be equal to the letter, as in the tokens' iss claim")
    if not str(found.get("jwks_uri", "")).startswith("https://"):
        sys.exit(f"OidcIssuer: {address} names no jwks_uri with https://, so API Gateway cannot check tokens")


def check_values(parameters: dict, account: str, region: str) -> None:
    """Exits when the template does not take a value, or the value would have no effect."""
    declared = template.source()["Parameters"]
    for name, text in parameters.items():
        if name not in declared:
            sys.exit(f"template.yaml has no parameter {name}; docs/configuration.md lists them")
        if not template.takes(declared[name], text):
            sys.exit(f"{name} does not take {text}: {template.explain(declared[name])}")
    for name in ("TrustedCallerArns", "ExtraSignerArns"):
        for arn in filter(None, parameters.get(name, "").split(",")):
            if arn.split(":")[4] != account:
                sys.exit(f"{name}: {arn} is of another account than {account}, to which you deploy: "
                         "API Gateway lets no principal of another account in")
    topic = parameters.get("AlarmTopicArn")
    if topic and topic.split(":")[3] != region:
        sys.exit(f"AlarmTopicArn: {topic} is in another Region than {region}, to which you deploy: "
                 "an alarm tells topics of its own Region only")


def check_users(parameters: dict) -> None:
    """Exits when no user could sign in."""
    cognito = parameters.get("IdentityProvider", "external") == "cognito"
    if parameters.get("AuthMode", "jwt") != "jwt" or cognito:
        return
    if not parameters.get("OidcIssuer"):
        sys.exit("Users cannot sign in: give OidcIssuer=https://… and OidcAudience=… of your OpenID Connect provider, "
                 "or IdentityProvider=cognito for a user pool of this stack's own.")
    check_issuer(parameters["OidcIssuer"])


def check_rules(parameters: dict) -> None:
    """Exits when parameters do not go together."""
    for broken in template.broken_rules(template.source(), parameters):
        sys.exit(f"These parameters do not go together: {broken} `Name=` empties a parameter.")


def check_stack(name: str, described: dict | None) -> None:
    """Exits when the state of a stack allows no deployment."""
    status = (described or {}).get("StackStatus", "")
    if status in stack.NEVER_COMPLETE or status == "DELETE_FAILED":
        sys.exit(f"The stack {name} is in {status}, and CloudFormation cannot update it. Delete it first, then repeat "
                 f"this: make destroy STACK={name}\n"
                 "Its events show the reason: " + stack.aws(f"cloudformation describe-stack-events --stack-name {name}"))
    if status == "UPDATE_ROLLBACK_FAILED":
        sys.exit(f"The stack {name} is in {status}. Finish its rollback first, then repeat this: "
                 + stack.aws(f"cloudformation continue-update-rollback --stack-name {name}"))
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        sys.exit(f"The stack {name} is in {status}: another deployment is under way. Repeat this when it has ended.")


def check_pool(name: str, before: dict, after: dict) -> None:
    """Exits when a deployment would delete the stack's user pool and the operator has not allowed that."""
    pool = before.get("IdentityProvider") == "cognito"
    if not pool or after["IdentityProvider"] == "cognito" or os.environ.get("DELETE_USERS") == "1":
        return
    sys.exit(f"IdentityProvider={after['IdentityProvider']} deletes the user pool of {name} with all its users, who "
             "cannot be brought back. Keep IdentityProvider=cognito, deploy the other provider as a stack of its own, "
             "or allow it: repeat this with DELETE_USERS=1.")


def check_domain(name: str, described: dict) -> None:
    """Exits when the stack's user pool has a domain of an older version of the template.

    A pool takes one such domain, and CloudFormation makes the new one before it deletes the old one.
    """
    wanted = "chat-" + described["StackId"].rpartition("/")[2]
    for domain in stack.resources(name, "AWS::Cognito::UserPoolDomain"):
        if domain != wanted:
            pool = stack.outputs(described).get("UserPoolId", "…")
            sys.exit(f"The sign-in pages of {name} get another address with this version. Delete the old one first, "
                     "then repeat this: "
                     + stack.aws(f"cognito-idp delete-user-pool-domain --domain {domain} --user-pool-id {pool}"))


def reserved(parameters: dict) -> int:
    """Returns how many executions a stack with these parameters reserves."""
    return sum(
        int(value) for name, value in parameters.items()
        if name.endswith("Concurrency") and (name != "FrontendConcurrency" or parameters["DeployFrontend"] == "true"))


def check_concurrency(before: dict, after: dict) -> None:
    """Exits when the account has too few executions to reserve. CloudFormation would roll the whole stack back."""
    held, wanted = reserved(before) if before else 0, reserved(after)
    if wanted <= held:
        return
    try:
        limit = boto3.client("lambda").get_account_settings()["AccountLimit"]
    except stack.AWSError as error:
        print(f"The account's limit of executions is not known ({error}): if it is too low, the deployment fails.")
        return
    total = limit["ConcurrentExecutions"]
    free = max(0, limit["UnreservedConcurrentExecutions"] + held - UNRESERVED)
    if wanted > free:
        sys.exit(f"The …Concurrency parameters reserve {wanted} executions, and this account has {free} to reserve: "
                 f"its limit is {total}, of which AWS keeps {min(total, UNRESERVED)} unreserved. Leave them at 0, or "
                 "have \"Concurrent executions\" of AWS Lambda raised in the console, Service Quotas.")


def check_region(region: str, parameters: dict) -> None:
    """Exits when the Region lacks what the page needs."""
    if region in NO_ADAPTER and parameters["DeployFrontend"] == "true":
        sys.exit(f"{region} has no layer of the Lambda Web Adapter, through which the page runs: "
                 "deploy with DeployFrontend=false, or to another Region")
