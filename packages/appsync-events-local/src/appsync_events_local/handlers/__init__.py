"""Runs the handlers of a namespace: code, code with a data source, or a Lambda function (DIRECT)."""
