"""JSON Web Tokens: verification, claims, and the key sets of issuers."""
