#!/usr/bin/env python3
"""Starts MiniStack with the parts of template.yaml that it lacks. `make rehearse` runs it in an environment of its own.

It keeps only a name of two resource types and of alarms over several metrics, and adds an attribute to user pools.
docs/testing.md lists the consequences.
"""

from ministack.app import main
from ministack.services.cloudformation import provisioners

REMEMBERED = ("AWS::Logs::QueryDefinition", "AWS::Cognito::ManagedLoginBranding")


def remember(kind: str) -> None:
    """Lets stacks have resources of a type, and keeps only their names."""
    provisioners._RESOURCE_HANDLERS[kind] = {
        "create": lambda logical_id, props, stack_name: (f"{stack_name}-{logical_id}", {}),
        "update": lambda physical_id, old_props, new_props, stack_name: (physical_id, {}),
        "delete": lambda physical_id, props: None,
    }


def remember_alarms(known: dict) -> dict:
    """Returns the handlers of alarms. Of alarms over several metrics they keep only a name."""
    def create(logical_id, props, stack_name):
        if "Metrics" in props:
            return f"{stack_name}-{logical_id}", {}
        return known["create"](logical_id, props, stack_name)

    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        if "Metrics" in new_props:
            return physical_id, {}
        return known["update"](physical_id, old_props, new_props, stack_name, logical_id)

    def delete(physical_id, props):
        if "Metrics" not in props:
            known["delete"](physical_id, props)

    return {**known, "create": create, "update": update, "delete": delete}


def with_provider_url(attributes):
    """Adds the attribute ProviderURL, the issuer of a user pool's tokens."""
    def complete(pool: str) -> dict:
        found = attributes(pool)
        return {**found, "ProviderURL": f"https://{found['ProviderName']}"}
    return complete


if __name__ == "__main__":
    for kind in REMEMBERED:
        if kind in provisioners._RESOURCE_HANDLERS:
            raise SystemExit(f"MiniStack knows {kind} by now: take it out of emulator.py")
        remember(kind)
    alarm = "AWS::CloudWatch::Alarm"
    provisioners._RESOURCE_HANDLERS[alarm] = remember_alarms(provisioners._RESOURCE_HANDLERS[alarm])
    provisioners._cognito_user_pool_attributes = with_provider_url(provisioners._cognito_user_pool_attributes)
    main()
