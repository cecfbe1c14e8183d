"""An independent model of channel matching, which the tests compare with the service's index."""


def covers_by_text(subscribed: str, published: str) -> bool:
    """Whether a subscription covers a published channel, by comparing the texts."""
    target, channel = f"/{subscribed.strip('/')}", f"/{published.strip('/')}"
    if target.endswith("/*"):
        return channel.startswith(target[:-1]) and channel != target[:-1]
    return channel == target
