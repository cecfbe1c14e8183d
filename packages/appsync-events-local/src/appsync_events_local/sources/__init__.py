"""Data sources: execute the request objects of handlers against DynamoDB, Lambda, HTTP and EventBridge."""
