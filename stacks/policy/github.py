"""Who GitHub Actions is to AWS: the issuer, and the subjects of the tokens of a repository's workflows.

GitHub signs a token for a job that asks for one. IAM lets the job assume a role if audience and subject of the token
equal those of the role's trust policy (GitHub: OpenID Connect reference; IAM: OIDC federation).
"""

from __future__ import annotations

from typing import Final

from stacks.config.fields import GitHub

ISSUER: Final = "token.actions.githubusercontent.com"
"""Issuer of the tokens, without the scheme, as in the names of IAM's condition keys."""
AUDIENCE: Final = "sts.amazonaws.com"
"""Audience that aws-actions/configure-aws-credentials requests."""


def environment_subject(github: GitHub, environment: str) -> str:
    """Return the subject of jobs that run in a GitHub environment, after its protection rules allowed it."""
    return f"{_repository(github)}:environment:{environment}"


def pull_request_subject(github: GitHub) -> str:
    """Return the subject of jobs of pull requests; GitHub gives no token to those of forks."""
    return f"{_repository(github)}:pull_request"


def _repository(github: GitHub) -> str:
    """Return the repository as in a subject: by names, or by names with ids, which no other owner can ever get."""
    if github.owner_id is None or github.repository_id is None:
        return f"repo:{github.repository}"
    owner, _, name = github.repository.partition("/")
    return f"repo:{owner}@{github.owner_id}/{name}@{github.repository_id}"
