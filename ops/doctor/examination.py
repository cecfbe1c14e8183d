"""One run of the doctor: the target, what the operator asks about, and the reads that the checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.deployed.stacks import Resource
from ops.deployed.target import Target
from ops.doctor.finding import Finding, NotTriedError

_MISSING: Final = frozenset(
    {
        *{"ResourceNotFoundException", "NoSuchEntity", "NotFoundException", "ResourceNotFound", "ParameterNotFound"},
        *{"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NotFound", "NoSuchBucket"},
        *{"NoSuchCORSConfiguration"},
    }
)
_REFUSED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "NotAuthorizedException"}
)


@dataclass(frozen=True)
class Question:
    """What the operator asks about besides the environment.

    Args:
        token: a user's token that a service refuses; never printed.
        channel: a channel that a client subscribes to.
        origin: the origin of a page that cannot call the HTTP API.
        with_user: whether a temporary user may be created, for the checks that sign in.
    """

    token: str | None = field(default=None, repr=False)
    channel: str | None = None
    origin: str | None = None
    with_user: bool = True


@dataclass
class Examination:
    """What the checks of one run share.

    Args:
        target: the environment.
        question: what the operator asks about.
        shared: values that one check leaves for later ones, such as the temporary user's session.
    """

    target: Target
    question: Question = field(default_factory=Question)
    shared: dict[str, Any] = field(default_factory=dict)
    _endings: list[Callable[[], None]] = field(default_factory=list)

    def at_end(self, action: Callable[[], None]) -> None:
        """Do something at the end of the run, such as deleting what a check created."""
        self._endings.append(action)

    def close(self) -> None:
        """End the run.

        Raises:
            botocore.exceptions.ClientError: something that a check created could not be deleted.
        """
        while self._endings:
            self._endings.pop()()

    def resources(self, type: str) -> Iterator[Resource]:
        """Yield the deployed resources of a type.

        Raises:
            NotTriedError: no stack has one.
        """
        found = list(self.target.deployed.resources(type))
        if not found:
            raise NotTriedError(f"no deployed stack has a resource of the type {type}")
        yield from found

    def find(self, service: str, operation: str, **parameters: Any) -> Any:
        """Return the response to a request; None if the resource does not exist.

        Raises:
            botocore.exceptions.ClientError: AWS refused the request for another reason.
        """
        try:
            return self.target.read(service, operation, **parameters)
        except ClientError as error:
            if is_missing(error):
                return None
            raise


def is_missing(error: ClientError) -> bool:
    """Return whether AWS refused a request because the resource does not exist."""
    code = error.response["Error"]["Code"]
    return code in _MISSING or "does not exist" in str(error) or "not found" in str(error).lower()


def is_refused(error: ClientError) -> bool:
    """Return whether the credentials may not make the request."""
    return error.response["Error"]["Code"] in _REFUSED


def missing(resource: Resource, name: str) -> Finding:
    """Return the finding that a resource of a template does not exist."""
    kind = resource.type.removeprefix("AWS::").replace("::", " ")
    return Finding(f"{kind} {name} does not exist, although the stack {resource.stack} has it ({resource.logical_id})")


def different(name: str, lines: Iterator[str]) -> Iterator[Finding]:
    """Yield a finding for each line of `values.differences`."""
    for line in lines:
        yield Finding(f"{name}: {line}")
