#!/usr/bin/env python3
"""Runs the SAM transform over template.yaml, as CloudFormation does on deployment, and keeps its result as a golden file.

The golden file shows in a review what a change of the template deploys, and a Go test holds the local stage's
understanding of the template to it. No AWS account is needed.

    transform.py            write the golden file
    transform.py --check    exit with 1 and the difference when the file is not what the transform makes
"""

import argparse
import difflib
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "localstage/internal/template/testdata/transform.golden.json"

# `sam package` puts such a value in place of the local folder.
CODE_URI = "s3://packaged/code.zip"


def transform(template_file: Path) -> str:
    """Returns the transformed template as JSON with sorted keys."""
    # The transform asks boto3 for the partition of a region; any region of the aws partition gives the same result.
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.yaml_helper import yaml_parse

    template = yaml_parse(template_file.read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource.setdefault("Properties", {})["CodeUri"] = CODE_URI
    # No managed policies: the roles of this project are written out.
    transformed = Translator({}, Parser()).translate(template, parameter_values={})
    return json.dumps(transformed, indent=2, sort_keys=True, default=str) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="The SAM transform of template.yaml as a golden file.")
    parser.add_argument("--check", action="store_true", help="compare with the golden file instead of writing it")
    arguments = parser.parse_args()

    now = transform(ROOT / "template.yaml")
    if not arguments.check:
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(now, encoding="utf-8")
        return 0

    before = GOLDEN.read_text(encoding="utf-8") if GOLDEN.exists() else ""
    if now == before:
        return 0
    name = str(GOLDEN.relative_to(ROOT))
    sys.stdout.writelines(
        difflib.unified_diff(before.splitlines(True), now.splitlines(True), name, "transform of template.yaml")
    )
    print(f"{name} is not the transform of template.yaml: read the difference above, then run `make golden`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
