"""The status page at `/_status`: what is served, who is there, what happened lately. For people, on this machine."""
