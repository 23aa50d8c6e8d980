"""One walk over operations: cases sent, answers judged, what is there learnt.

Talks to the AWS it is given. Example: `walk = Run(aws, seed=7); walk.round(operations(), n=1); walk.faults`.
"""

import json
from collections import defaultdict
from importlib import import_module
from random import Random

from botocore.model import OperationModel

from localaws import LocalAws
from localaws.service import TABLE
from localaws.wire import service_model
from verify.wire.cases import Case, cases, telling
from verify.wire.judging import faults
from verify.wire.known import Known
from verify.wire.sending import Answer, Sender
from verify.wire.there import furnish

_LAST = ("Delete", "Deregister", "BatchDelete", "Revoke", "BatchRevoke", "Cancel", "Stop")


def operations() -> list[OperationModel]:
    """Every operation that a service of our own has, those that remove things last."""
    asked = []
    for boto_name, module, class_name in TABLE.values():
        service = getattr(import_module(module), class_name)
        model = service_model(boto_name)
        blank = service.__new__(service)
        asked += [model.operation_model(name) for name in model.operation_names if blank.operation(name) is not None]
    return sorted(asked, key=lambda operation: operation.name.startswith(_LAST))


def full_name(operation: OperationModel) -> str:
    return f"{operation.service_model.service_name}.{operation.name}"


class Run:
    """An AWS that was furnished, and what was seen of it."""

    def __init__(self, aws: LocalAws, seed: int) -> None:
        self._random = Random(seed)
        self._sender = Sender(aws.endpoint, aws.credentials)
        seeds = furnish(aws.world)
        self._known = {boto_name: Known(seeds.get(boto_name, {})) for boto_name, _, _ in TABLE.values()}
        self._seen: dict[str, set[str]] = defaultdict(set)
        self._requests: dict[str, int] = defaultdict(int)
        self.faults: list[str] = []

    def close(self) -> None:
        self._sender.close()

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Operations and requests by service."""
        return {service: (len(names), self._requests[service]) for service, names in self._seen.items()}

    def round(self, operations: list[OperationModel], n: int) -> None:
        """Each operation's cases once."""
        for operation in operations:
            service = operation.service_model.service_name
            self._seen[service].add(operation.name)
            for case in cases(operation, self._random, self._known[service], n):
                self._requests[service] += 1
                self._judge(operation, case, self._sender.send(operation, case.request))

    def _judge(self, operation: OperationModel, case: Case, answer: Answer) -> None:
        objections = list(faults(operation, answer))
        if case.must_refuse and answer.status < 300:
            objections.append("taken, although the model does not allow it")
        if not case.must_refuse and answer.status < 300:
            content = json.loads(answer.body) if answer.body.startswith(b"{") else {}
            self._known[operation.service_model.service_name].learn(operation, case.params, content)
        place = f"{full_name(operation)}, {case.kind}"
        self.faults += [f"{place}: {fault}; sent {telling(case.params)}" for fault in objections]
