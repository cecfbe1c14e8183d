"""The outputs of a deployed environment, for the tests of the commands that read them."""

from __future__ import annotations

STACK_OUTPUTS = {
    "PantherKolab-Identity-dev": {
        "UserPoolId": "us-east-1_AbC",
        "UserPoolClientId": "client",
        "Region": "eu-west-1",
        "StackRegion": "us-east-1",
    },
    "PantherKolab-Events-dev": {
        "EventsHttpEndpoint": "https://e.example.edu/event",
        "EventsRealtimeEndpoint": "wss://e.example.edu/event/realtime",
    },
    "PantherKolab-Routes-dev": {"ApiAddress": "https://api.example.edu"},
}
