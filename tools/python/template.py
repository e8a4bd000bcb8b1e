"""Reads template.yaml as CloudFormation does: the values of its parameters, its rules, and its resources."""

import math
import re
import sys
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

import stack


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
        return declared.get("MinValue", -math.inf) <= float(text) <= declared.get("MaxValue", math.inf)
    listed = declared["Type"] == "CommaDelimitedList"
    elements = [element.strip() for element in text.split(",")] if listed else [text]
    return len(text) <= declared.get("MaxLength", 4096) and all(
        re.fullmatch(declared.get("AllowedPattern", r"[\s\S]*"), element, re.ASCII) for element in elements)


def explain(declared: dict) -> str:
    """Returns the description of a parameter's values."""
    if "AllowedValues" in declared:
        return "one of " + ", ".join(map(str, declared["AllowedValues"]))
    if declared["Type"] == "Number":
        return f"a number from {declared.get('MinValue')} to {declared.get('MaxValue')}"
    length = f", at most {declared['MaxLength']} characters" if "MaxLength" in declared else ""
    return declared.get("ConstraintDescription", "another value").strip(" .") + length


def complete(template: dict, parameters: dict) -> dict:
    """Returns the parameters of a deployment, with the template's defaults for those that are not given."""
    return {name: str(declared["Default"]) for name, declared in template["Parameters"].items()} | parameters


def holds(template: dict, expression: object, parameters: dict) -> object:
    """Returns the value of a condition: a boolean, or a text inside of Fn::Equals."""
    if not isinstance(expression, dict):
        return str(expression)
    (function, argument), = expression.items()
    if function == "Ref":
        return parameters[argument]
    if function == "Condition":
        return holds(template, template["Conditions"][argument], parameters)
    values = [holds(template, part, parameters) for part in argument]
    if function == "Fn::Equals":
        return values[0] == values[1]
    return {"Fn::Not": lambda: not values[0], "Fn::And": lambda: all(values), "Fn::Or": lambda: any(values)}[function]()


def broken_rules(template: dict, parameters: dict) -> list[str]:
    """Returns the messages of the rules that parameters break. CloudFormation checks them only after the build."""
    return [
        assertion["AssertDescription"].strip()
        for rule in template["Rules"].values()
        if "RuleCondition" not in rule or holds(template, rule["RuleCondition"], parameters)
        for assertion in rule["Assertions"] if not holds(template, assertion["Assert"], parameters)
    ]


def created(template: dict, parameters: dict) -> dict[str, int]:
    """Returns how many resources of each type a stack with these parameters has, by the types of template.yaml."""
    counted: dict[str, int] = {}
    for resource in template["Resources"].values():
        if "Condition" not in resource or holds(template, {"Condition": resource["Condition"]}, parameters):
            counted[resource["Type"]] = counted.get(resource["Type"], 0) + 1
    return counted


def with_code(folder: Path) -> dict:
    """Returns template.yaml with the functions' code in a folder that another job has built."""
    template = source()
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            if not (folder / name).is_dir():
                sys.exit(f"{folder} has no {name}: build with `make build` first, and give the folder .aws-sam/build")
            resource["Properties"]["CodeUri"] = str((folder / name).resolve())
    return template
