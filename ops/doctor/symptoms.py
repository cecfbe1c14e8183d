"""What users report, the causes that are known for it, and the checks that find each cause.

The symptoms and causes are those of the migration guide's chapter on troubleshooting (the line numbers G:n), and of its
final version. A cause that the doctor cannot see has no check, and says where to look instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Cause:
    """One cause of a symptom.

    Args:
        text: the cause.
        checks: ids of the checks that find it.
        elsewhere: where to look if the doctor cannot see it.
        source: where the guide names it.
    """

    text: str
    checks: tuple[str, ...] = ()
    elsewhere: str = ""
    source: str = ""


@dataclass(frozen=True)
class Symptom:
    """What a user or operator sees, with its causes in the order in which to look for them."""

    id: str
    text: str
    causes: tuple[Cause, ...]


SYMPTOMS: Final = (
    Symptom(
        "connection",
        "The WebSocket connection fails, or closes at once",
        (
            Cause("The Cognito token is invalid or expired", ("D705", "D711"), source="G:2134"),
            Cause("The Event API is configured for another user pool", ("D602", "D701"), source="G:2135"),
            Cause("CORS of the HTTP API or the page's origin", ("D805", "D806", "D807", "D811"), source="G:2136"),
            Cause(
                "The address is wrong, or a network blocks WebSockets",
                ("D211", "D601", "D611"),
                "the browser's console shows the close code and the error of the handshake",
                source="G:2137",
            ),
        ),
    ),
    Symptom(
        "events",
        "Published events do not reach subscribed clients",
        (
            Cause("The channel's name differs, for example in case", ("D607",), source="G:2145"),
            Cause("onPublish filters events out", ("D604", "D614"), source="G:2146"),
            Cause("onSubscribe refused the subscription", ("D603", "D604", "D605", "D612"), source="G:2147"),
            Cause("The log of the Event API shows the refusal", ("D606",), source="G:2148"),
            Cause("A function may not publish, or its permission is for another API", ("D312",)),
            Cause("Relay, queue or sweep do not run", ("D501", "D504", "D505", "D507", "D508", "D509")),
        ),
    ),
    Symptom(
        "latency",
        "Messages take longer than 500 ms to appear",
        (
            Cause("The region is far from the users", ("D614",), "measure it from the users' network", "G:2154"),
            Cause("Errors cause retries", ("D505", "D506", "D507", "D908", "D909"), source="G:2155"),
            Cause(
                "More regions are needed",
                (),
                "one environment has one region; the round trip of D614, made in each location, shows whether "
                "another one is needed",
                "G:2156",
            ),
            Cause(
                "The page renders slowly", (), "the browser's performance tools; D614 shows the part before", "G:2157"
            ),
            Cause("Functions are throttled", ("D105", "D304", "D809", "D908")),
        ),
    ),
    Symptom(
        "unauthorized",
        "Requests get 401 Unauthorized",
        (
            Cause("The access token is not passed correctly", ("D705", "D810", "D812"), source="G:2165"),
            Cause("The token has expired", ("D705",), source="G:2166"),
            Cause("The user pool of the API is another one", ("D602", "D701", "D704", "D804"), source="G:2167"),
            Cause("The IAM permissions of the API routes", ("D305", "D311", "D312"), source="G:2168"),
            Cause("The clock of the device or machine is wrong", ("D103", "D705")),
        ),
    ),
    Symptom(
        "server-client",
        "A server ends with a call-stack overflow in the browser's Amplify library",
        (
            Cause(
                "The browser library runs on a server, or the client sends its ID token",
                ("D705",),
                "use the access token; a server publishes with IAM, as the functions do",
                "final guide",
            ),
        ),
    ),
    Symptom(
        "sign-in",
        "Users cannot sign up or sign in",
        (
            Cause("No e-mail with the code arrives", ("D106",)),
            Cause("The app client does not allow the flow", ("D702", "D711")),
            Cause("A trigger of the user pool refuses the user", ("D305", "D703", "D711")),
        ),
    ),
    Symptom(
        "calls",
        "Calls ring too long, or cannot be connected",
        (
            Cause("Ring timers or Chime's events are not processed", ("D501", "D505", "D508", "D509")),
            Cause("Chime does not respond, or has no media servers in the region", ("D107", "D307")),
        ),
    ),
    Symptom(
        "server-errors",
        "Requests get 403, 404 or 5xx",
        (
            Cause("A route, integration or stage is missing", ("D801", "D802", "D803", "D808")),
            Cause("A function is missing, or differs from its template", ("D301", "D302", "D303", "D306")),
            Cause("A table or an index is missing", ("D401", "D402", "D403", "D404")),
            Cause("A domain, its DNS record or its certificate", ("D211", "D212", "D213")),
            Cause("A deployment failed or is incomplete", ("D201", "D202", "D203")),
        ),
    ),
    Symptom(
        "unnoticed",
        "A fault was not noticed",
        (
            Cause("An alarm is missing, disabled or has no data", ("D901", "D902", "D904", "D905")),
            Cause("No recipient receives the alarms", ("D903",)),
            Cause("Logs or metric filters are missing", ("D906", "D907")),
        ),
    ),
)
