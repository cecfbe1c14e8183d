"""`python -m appsync_events_local`: the same as the command `appsync-events-local`."""

import sys

from appsync_events_local.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
