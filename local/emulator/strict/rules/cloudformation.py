"""Rules of CloudFormation."""

from __future__ import annotations

from typing import Final

from local.emulator.strict.rules.rule import Rule, Switches

_GUIDE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide"
_REFERENCE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"


class CloudFormationSwitches(Switches, frozen=True):
    """Which rules of CloudFormation are on.

    Args:
        taken_names, named_replacements, exports_in_use, stack_index_changes, time_to_live_changes, pool_attributes,
            deletion_protection, failed_creations: the switches of the rules of that name.
    """

    taken_names: bool = True
    named_replacements: bool = True
    exports_in_use: bool = True
    stack_index_changes: bool = True
    time_to_live_changes: bool = True
    pool_attributes: bool = True
    deletion_protection: bool = True
    failed_creations: bool = True


RULES: Final = (
    Rule(
        "taken_names",
        request="A stack creates a resource under a custom name that another resource has: of another stack, of the "
        "same stack under another logical id, or without stack, such as one that was retained",
        effect="The resource fails with 'already exists', and the operation rolls back",
        alone="overwrites the resource: the new table, with the old one's name, is empty, and the old one's stack "
        "deletes it",
        source="AWS CloudFormation template reference, 'CloudFormation resource custom naming'",
        link=f"{_REFERENCE}/aws-properties-name.html",
    ),
    Rule(
        "named_replacements",
        request="A stack update replaces a resource and keeps its custom name",
        effect="The update fails ('cannot update a stack when a custom-named resource requires replacing') and rolls "
        "back",
        alone="refuses it for some types; changes an event rule's bus in place",
        source="AWS CloudFormation template reference, 'CloudFormation resource custom naming'",
        link=f"{_REFERENCE}/aws-properties-name.html",
    ),
    Rule(
        "exports_in_use",
        request="A stack update removes or changes an export that another stack imports, or exports a name of another "
        "stack",
        effect="The update fails ('cannot be updated as it is in use by') and rolls back",
        alone="makes the change, and keeps removed exports, so that later imports of them succeed",
        source="AWS CloudFormation user guide, 'Get exported outputs from a deployed CloudFormation stack'",
        link=f"{_GUIDE}/using-cfn-stack-exports.html",
    ),
    Rule(
        "stack_index_changes",
        request="A stack update creates or deletes more than one global secondary index of a table, or changes one",
        effect="The update fails ('more than one GSI creation or deletion in a single update', or 'Cannot update GSI's "
        "properties') and rolls back",
        alone="makes all changes one after the other",
        source="AWS CloudFormation template reference, AWS::DynamoDB::Table, GlobalSecondaryIndexes",
        link=f"{_REFERENCE}/aws-resource-dynamodb-table.html",
    ),
    Rule(
        "time_to_live_changes",
        request="A stack update moves a table's time to live to another attribute",
        effect="The update fails ('TimeToLive is active on a different AttributeName') and rolls back",
        alone="ignores TimeToLiveSpecification; with our correction it moves the time to live",
        source="AWS CloudFormation template reference, AWS::DynamoDB::Table, TimeToLiveSpecification",
        link=f"{_REFERENCE}/aws-properties-dynamodb-table-timetolivespecification.html",
    ),
    Rule(
        "pool_attributes",
        request="A stack update changes or removes an attribute of a user pool's schema",
        effect="The update fails ('Existing schema attributes cannot be modified or deleted') and rolls back",
        alone="reports success and keeps the attribute as it was",
        source="Amazon Cognito developer guide, 'Working with user attributes'",
        link="https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html",
    ),
    Rule(
        "deletion_protection",
        request="A stack deletes a table or user pool with deletion protection",
        effect="The resource stays, and the stack is DELETE_FAILED",
        alone="deletes it",
        source="Amazon DynamoDB developer guide, 'Using deletion protection to protect your table'; Amazon Cognito "
        "developer guide, 'User pool deletion protection'",
        link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html",
    ),
    Rule(
        "failed_creations",
        request="CreateStack, or CreateChangeSet of type CREATE, under the name of a stack whose creation failed",
        effect="AlreadyExistsException: such a stack has to be deleted first",
        alone="creates the stack again",
        source="AWS CloudFormation user guide, 'Understand CloudFormation stack creation events'",
        link=f"{_GUIDE}/view-stack-events.html",
    ),
)
