"""IAM as it binds callers: what a request asks for, and whether policies allow it.

Reads moto's IAM, S3 and KMS backends. Behind every make target that talks to localaws.
Example: `gate.check(caller, actions.calls_of(request))`.
"""
