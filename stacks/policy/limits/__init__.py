"""AWS's service limits: the table, the measures that read a template, and the check at synthesis."""
