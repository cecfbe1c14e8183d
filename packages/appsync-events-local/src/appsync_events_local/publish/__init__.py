"""Publishes events: the pipeline of one request, delivery to subscriptions, and fault rules."""
