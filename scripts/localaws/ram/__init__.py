"""AWS RAM as far as services of ours share things with the customer's account: offers, invitations, what was accepted.

Reads and writes its own state and, when an invitation is accepted, Lake Formation. Behind `make deploy`, `make ingest`.
Example: `boto3.client("ram").get_resource_share_invitations()`.
"""
