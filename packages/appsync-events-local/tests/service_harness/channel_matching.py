"""An independent model of channel matching, which the tests compare with the service's index."""


def naively_receives(subscribed: str, published: str) -> bool:
    """Whether a subscriber is reached, by comparing the texts from left to right."""
    target, channel = f"/{subscribed.strip('/')}", f"/{published.strip('/')}"
    if target.endswith("/*"):
        return channel.startswith(target[:-1]) and channel != target[:-1]
    return channel == target
