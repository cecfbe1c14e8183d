"""Puts the rules into ministack's CloudFormation engine."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from ministack.services import cloudformation, cognito, dynamodb
from ministack.services.cloudformation import handlers, provisioners, stacks

from local.emulator.strict.cloudformation import changes
from local.emulator.strict.cloudformation.exports import export_problem, exports_of
from local.emulator.strict.cloudformation.names import taken_name
from local.emulator.strict.rules.cloudformation import CloudFormationSwitches

_updated: ContextVar[str] = ContextVar("updated", default="")
"""Physical id of the resource that is being updated."""
_FAILED: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
_MODULES: Final = (stacks, provisioners)
"""Where ministack keeps the functions that create, change and delete resources: one imports them by name."""


class StrictCloudFormation:
    """Refuses operations of stacks as AWS does.

    Args:
        rules: returns the switches of strict mode's rules.
    """

    def __init__(self, rules: Callable[[], CloudFormationSwitches]) -> None:
        self._rules = rules

    def install(self) -> None:
        """Wrap the functions of the engine; call it once in a process, after the providers are installed."""
        self._wrap_creation()
        self._wrap_change()
        self._wrap_deletion()
        self._wrap_outputs()
        self._wrap_operations()

    def _wrap_creation(self) -> None:
        create = provisioners._provision_resource

        def checked(kind: str, logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
            name = changes.name_property(kind)
            again = name is not None and properties.get(name) == _updated.get()  # how a type without update is updated
            if self._rules().taken_names and not again:
                _refuse(taken_name(kind, properties))
            return create(kind, logical_id, properties, stack_name)

        for module in _MODULES:
            module._provision_resource = checked

    def _wrap_change(self) -> None:
        update, refused = provisioners._update_resource, provisioners._custom_named_replacement_error

        def replacement(kind: str, old: dict[str, Any], new: dict[str, Any], physical_id: str | None = None) -> Any:
            problem = refused(kind, old, new, physical_id)
            if problem is None and self._rules().named_replacements:
                return changes.replacement_under_its_name(kind, old, new)
            return problem

        def checked(kind: str, physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
            rules = self._rules()
            if rules.stack_index_changes:
                _refuse(changes.index_changes(kind, old, new))
            if rules.time_to_live_changes:
                _refuse(changes.time_to_live_change(kind, old, new))
            if rules.pool_attributes:
                _refuse(changes.pool_attribute_change(kind, old, new))
            token = _updated.set(physical_id)
            try:
                return update(kind, physical_id, old, new, *rest)
            finally:
                _updated.reset(token)

        for module in _MODULES:
            module._custom_named_replacement_error = replacement
            module._update_resource = checked

    def _wrap_deletion(self) -> None:
        delete = provisioners._delete_resource

        def checked(kind: str, physical_id: str, properties: dict[str, Any], *rest: Any) -> Any:
            if self._rules().deletion_protection:
                _refuse(_protection(kind, physical_id))
            return delete(kind, physical_id, properties, *rest)

        for module in _MODULES:
            module._delete_resource = checked

    def _wrap_outputs(self) -> None:
        resolve = stacks._resolve_stack_outputs

        def checked(*arguments: Any) -> Any:
            outputs, exports = resolve(*arguments)
            stack_id = arguments[-1]
            if self._rules().exports_in_use:
                _refuse(export_problem(stack_id, exports))
                for name in exports_of(stack_id).keys() - exports.keys():
                    cloudformation._exports.pop(name)
            return outputs, exports

        stacks._resolve_stack_outputs = checked

    def _wrap_operations(self) -> None:
        for operation in ("CreateStack", "CreateChangeSet"):
            handlers._ACTION_HANDLERS[operation] = self._refusing_failed(handlers._ACTION_HANDLERS[operation])

    def _refusing_failed(self, handle: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        """Refuse a creation under the name of a stack whose creation failed: such a stack can only be deleted."""

        def checked(parameters: dict[str, Any]) -> Any:
            name = handlers._p(parameters, "StackName")
            creates = handlers._p(parameters, "ChangeSetType", "CREATE") == "CREATE"
            status = (cloudformation._stacks.get(name) or {}).get("StackStatus")
            if self._rules().failed_creations and creates and status in _FAILED:
                return handlers._error("AlreadyExistsException", f"Stack [{name}] already exists")
            return handle(parameters)

        return checked


def _protection(kind: str, physical_id: str) -> str | None:
    """Return the service's message for the deletion of a protected resource."""
    if kind == "AWS::DynamoDB::Table" and (dynamodb._tables.get(physical_id) or {}).get("DeletionProtectionEnabled"):
        return (
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
    if kind == "AWS::Cognito::UserPool":
        pool = cognito._user_pools.get(physical_id) or {}
        if pool.get("DeletionProtection") == "ACTIVE":
            return (
                "The user pool cannot be deleted because deletion protection is activated. "
                "Deletion protection must be inactivated first."
            )
    return None


def _refuse(problem: str | None) -> None:
    if problem is not None:
        raise ValueError(problem)
