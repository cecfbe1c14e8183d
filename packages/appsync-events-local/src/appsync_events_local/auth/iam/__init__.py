"""AWS_IAM: signatures (SigV4), the access keys that may sign, and IAM permissions."""
