"""AWS HealthOmics: references, variant and annotation stores, as botocore's `omics` model has them.

Example: `boto3.client("omics").start_variant_import_job(destinationName="variants", roleArn=..., items=[...])`.

Sequence stores, read sets, workflows and runs are not here: the dispatcher answers for each that localaws lacks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from localaws.omics.jobs import ImportJobs
from localaws.omics.references import ReferenceOperations
from localaws.omics.sharing import ShareOperations
from localaws.omics.state import OmicsState
from localaws.omics.stores import AnnotationOperations, VariantOperations
from localaws.service import Service

if TYPE_CHECKING:
    from localaws.world import World


class Omics(ReferenceOperations, VariantOperations, AnnotationOperations, ShareOperations, Service):
    """HealthOmics' operations on references, stores, import jobs, shares and tags."""

    service_name: ClassVar[str] = "omics"
    imitated: ClassVar[dict[str, str]] = {
        "get_reference": "the source alone, no index file",
        "get_reference_metadata": "no index among the files",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._state: OmicsState = world.state("omics", OmicsState)
        self._jobs = ImportJobs(world, self._state)
        self._jobs.resume()
