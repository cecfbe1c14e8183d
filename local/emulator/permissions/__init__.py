"""IAM for the roles that are deployed: every call made under one is checked against its policies, and recorded.

Policies are read where CloudFormation put them, with every reference resolved, and evaluated by ministack's own engine.
The operator's keys are not checked, nor are calls without a role.
"""
