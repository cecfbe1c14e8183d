"""The public contract of calls: events, models, requests, responses, routes and transitions."""
