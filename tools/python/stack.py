#!/usr/bin/env python3
"""Finds a deployed stack: its name, outputs, parameters and resources, with the credentials and Region of the AWS CLI.

    stack.py --stage dev             the outputs of the stack that samconfig.toml names for a stage, as one JSON object
    stack.py --stack signedsocket    those of a stack by name
    stack.py --stack signedsocket UserPoolId    the value of one output, as it is
"""

import argparse
import json
import os
import sys
from pathlib import Path

import boto3
import botocore.exceptions
import tomlkit

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

# boto3, SAM CLI and version 1 of the AWS CLI read AWS_DEFAULT_REGION only, all other tools AWS_REGION, which wins.
if os.environ.get("AWS_REGION"):
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]

# The states of a stack whose first deployment has failed. It can only be deleted.
NEVER_COMPLETE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")

# Settings that samconfig.toml must not have: SAM would deploy to another place than the one that was checked and shown.
ONE_WAY = {
    "region": "AWS_REGION chooses the Region, as in AWS_REGION=eu-west-1 make deploy …",
    "profile": "AWS_PROFILE chooses the account, as in AWS_PROFILE=work make deploy …",
    "stack_name": "The name stands in the stage's section global.",
}

# Errors of AWS and of the network. Their text names the reason.
AWSError = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


def aws(command: str) -> str:
    """Returns a command of the AWS CLI for a person to run. The CLI in .venv reads AWS_DEFAULT_REGION only."""
    region = os.environ.get("AWS_DEFAULT_REGION")
    return f".venv/bin/aws {command}" + (f" --region {region}" if region else "")


def settings(stage: str) -> dict:
    """Returns the sections of a stage in samconfig.toml."""
    stages = tomlkit.parse((ROOT / "samconfig.toml").read_text(encoding="utf-8")).unwrap()
    if not isinstance(stages.get(stage), dict):
        known = ", ".join(name for name, section in stages.items() if isinstance(section, dict))
        sys.exit(f"samconfig.toml has no stage {stage}; it has {known}")
    for command, section in stages[stage].items():
        for name, instead in ONE_WAY.items():
            if name in section.get("parameters", {}) and (command, name) != ("global", "stack_name"):
                sys.exit(f"samconfig.toml has {name} in [{stage}.{command}.parameters], which SAM alone would follow: take it out. {instead}")
    return stages[stage]


def stack_name(stage: str) -> str:
    """Returns the name of the stack that a stage is deployed to."""
    return settings(stage)["global"]["parameters"]["stack_name"]


def find(stack: str) -> dict | None:
    """Returns CloudFormation's description of a stack, or None if there is no such stack. Without access it exits."""
    try:
        return boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except AWSError as error:
        if "does not exist" in str(error):
            return None
        sys.exit(f"cannot ask for stack {stack}: {error}. `{aws('sts get-caller-identity')}` shows who you are to AWS; "
                 "AWS_PROFILE and AWS_REGION choose.")


def describe(stack: str) -> dict:
    """Returns CloudFormation's description of a stack, and exits if there is no such stack."""
    found = find(stack)
    if found is None:
        sys.exit(f"there is no stack {stack} in this account and Region: deploy it with `make deploy`, or choose another "
                 "AWS_PROFILE or AWS_REGION")
    return found


def outputs(described: dict) -> dict:
    """Returns the outputs of a stack by name, in the form in which a local stage writes them."""
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def parameters(described: dict) -> dict:
    """Returns the parameters of a stack by name."""
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in described.get("Parameters", [])}


def resources(stack: str, kind: str) -> list[str]:
    """Returns the physical names of a stack's resources of a type."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    listed = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return sorted(resource["PhysicalResourceId"] for resource in listed if resource["ResourceType"] == kind)


def parser(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser of a command line that names a stack."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = made.add_mutually_exclusive_group(required=True)
    which.add_argument("--stack", help="name of a deployed stack")
    which.add_argument("--stage", help="section of samconfig.toml")
    return made


def named(arguments: argparse.Namespace) -> str:
    """Returns the name of the stack that a command line names."""
    return arguments.stack or stack_name(arguments.stage)


def main() -> None:
    made = parser(__doc__)
    made.add_argument("output", nargs="?", help="name of an output")
    arguments = made.parse_args()
    found = outputs(describe(named(arguments)))
    if not arguments.output:
        print(json.dumps(found, indent=2, sort_keys=True))
    elif arguments.output in found:
        print(found[arguments.output])
    else:
        sys.exit(f"{named(arguments)} has no output {arguments.output}; it has {', '.join(sorted(found))}")


if __name__ == "__main__":
    main()
