"""A share of the wire tier of `make verify`: operations held against their models by generated requests.

Reads botocore's models; writes the test's folder. Make target: `test`; `make verify ARGS="--only wire"` takes them all.
"""

from __future__ import annotations

from contextlib import closing
from random import Random
from typing import Any

import pytest
from botocore.model import OperationModel

from localaws import LocalAws
from localaws.service import Service
from localaws.wire import service_model
from verify.wire import failures
from verify.wire.judging import faults
from verify.wire.run import Run, operations
from verify.wire.sending import Answer

SEED, A_SHARE = 20261124, 50


def test_operations_answer_and_refuse_as_their_models_say(aws: LocalAws) -> None:
    chosen = Random(SEED).sample(operations(), A_SHARE)
    with failures() as logged, closing(Run(aws, SEED)) as walk:
        walk.round(chosen, n=1)
    assert walk.faults + logged == []
    assert sum(requests for _, requests in walk.counts.values()) > 10 * A_SHARE


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"status": 500}, "status 500"),
        ({"body": b'{"DatastorePropertiesList": [{"DatastoreId": 7}]}'}, "is a int, the model has a string"),
        ({"body": b'{"DatastorePropertiesList": [{}]}'}, "DatastoreArn is missing"),
        ({"body": b'{"DatastorePropertiesList": [], "Extra": 1}'}, "Extra is not in the model"),
        ({"body": b"{}"}, "DatastorePropertiesList is missing"),
        ({"status": 400, "body": b'{"__type": "OddException"}'}, "none of the operation's errors"),
        ({"status": 404, "body": b'{"__type": "ValidationException"}'}, "status 404, the model has 400"),
        ({"status": 201, "body": b'{"DatastorePropertiesList": []}'}, "status 201, the model has 200"),
    ],
)
def test_an_answer_that_breaks_the_model_is_told(answer: dict[str, Any], fault: str) -> None:
    operation = service_model("healthlake").operation_model("ListFHIRDatastores")
    given = Answer(**{"status": 200, "headers": {}, "body": b"{}", **answer})
    assert any(fault in found for found in faults(operation, given))


def test_a_service_that_answers_anything_or_breaks_is_told(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tier can fail: a service of ours that takes everything, one with a member too many, one that raises."""
    from localaws.healthlake.service import HealthLake

    def taken(service: Service, params: dict[str, Any], caller: object) -> dict[str, Any]:
        return {"DatastorePropertiesList": []}

    def broken(service: Service, params: dict[str, Any], caller: object) -> dict[str, Any]:
        raise KeyError("member")

    monkeypatch.setattr(HealthLake, "list_fhir_datastores", taken)
    monkeypatch.setattr(HealthLake, "list_fhir_import_jobs", broken)
    with failures() as logged, closing(Run(aws, SEED)) as walk:
        walk.round([_operation("ListFHIRDatastores"), _operation("ListFHIRImportJobs")], n=1)
    assert any("a page token that nobody gave" in fault for fault in walk.faults)
    assert any("status 500" in fault for fault in walk.faults) and any("KeyError" in line for line in logged)


def _operation(name: str) -> OperationModel:
    return service_model("healthlake").operation_model(name)
