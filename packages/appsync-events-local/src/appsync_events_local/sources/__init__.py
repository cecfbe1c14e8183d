"""What executes the request objects of handlers: DynamoDB, Lambda, HTTP and EventBridge."""
