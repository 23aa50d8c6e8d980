"""VCF files into HealthOmics stores: the backend for accounts that have them (`genomic_backend = "healthomics"`).

Reads VCF and BCF files as the load job does, so that the same records are refused; imports what is left; registers what
was imported. Writes below genomic/healthomics/ in the raw bucket, the stores, and the genomic store's registers and
views. `make ingest`.

Example: told = import_hosted(session, hosted, run)

The stores keep every row they were ever given: no operation takes rows back, and what a second import of a sample does
is not documented. So a sample goes in under a name of its own for each content of a file, and the register says
which of them count now. One commit of the register is what replaces a file.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from trilake.core.errors import ServiceError
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.job import Item
from trilake.core.ledger import Reason
from trilake.core.session import Session
from trilake.core.settings import HealthOmics
from trilake.genomic.healthomics.jobs import Imported, ImportJobs, Order
from trilake.genomic.healthomics.register import register_annotations, register_samples
from trilake.genomic.healthomics.share import connect
from trilake.genomic.healthomics.stage import Staged, stage
from trilake.genomic.load import report
from trilake.genomic.reader import open_vcf
from trilake.genomic.reference import local_reference

LARGEST_FILE = 20 * 10**9
Told = dict[str, Any]


@dataclass(frozen=True)
class Hosted:
    """A file whose header holds, and what the work list of a load says of it."""

    file: SourceFile
    item: Item

    @property
    def is_annotation(self) -> bool:
        return self.item["is_annotation"] == "true"


@dataclass(frozen=True)
class Prepared:
    """A file that was read: what became of its records, and where its good ones were staged (None: there are none)."""

    hosted: Hosted
    told: Told
    staged: Staged | None


def stores_of(session: Session) -> HealthOmics:
    """The stores as deployed. ServiceError when they are not there."""
    stores = session.settings.genomic.healthomics
    if stores is None or stores.variant_store is None or stores.annotation_store is None:
        raise ServiceError("The HealthOmics stores are not there yet", next_step="make deploy")
    return stores


def import_hosted(session: Session, files: list[Hosted], run: IngestRun) -> dict[str, Told]:
    """Load the files; what became of the records of each, by content hash, in the form of the load job's report."""
    stores_of(session)
    links = connect(session)
    prepared = [prepare(session, hosted, run) for hosted in files]
    jobs = ImportJobs(session, say=run.say, normalises=run.reference is not None)
    imported = jobs.run([order_of(one) for one in prepared if one.staged is not None])
    done = [(one, imported.get(one.hosted.file.sha256)) for one in prepared]
    held = [(one.hosted, result) for one, result in done if result is None or not result.problem]
    samples = [(hosted.item, result) for hosted, result in held if not hosted.is_annotation]
    releases = [(hosted.item, result) for hosted, result in held if hosted.is_annotation]
    if samples:
        register_samples(session, samples, links, run.ingest_id)
    if releases:
        jobs.drop_versions(register_annotations(session, releases, links, run.ingest_id))
    return {one.hosted.file.sha256: settled(one.told, result) for one, result in done}


def order_of(one: Prepared) -> Order:
    assert one.staged is not None
    return Order(one.hosted.file.sha256, one.staged.uri, is_annotation=one.hosted.is_annotation)


def prepare(session: Session, hosted: Hosted, run: IngestRun) -> Prepared:
    """Read a file to its end and stage the records that hold."""
    file = hosted.file
    reading = open_vcf(
        file.path,
        file.name,
        load_id=run.ingest_id,
        job_id="",
        default_genome=session.settings.genomic.reference_genome,
        reference=local_reference(run),
    )
    for _ in reading.batches():
        pass
    told = report(reading)
    if not told["counts"]["loaded"]:
        return Prepared(hosted, told, None)
    target = Path(run.work_dir, f"{file.sha256[:32]}.vcf.gz")
    staged = stage(session, file, target, refused={entry.line for entry in reading.refused}, largest=LARGEST_FILE)
    return Prepared(hosted, told, staged) if staged.uri else too_large(hosted, told)


def too_large(hosted: Hosted, told: Told) -> Prepared:
    reason = Reason("VCF_TOO_LARGE", "a file of 20 GB at most, which HealthOmics imports", "a larger one")
    return Prepared(hosted, refused_whole(told, reason), None)


def settled(told: Told, result: Imported | None) -> Told:
    """What became of a file in the end: HealthOmics takes a file whole or not at all."""
    if result is None or not result.problem:
        return told
    return refused_whole(told, Reason("SERVICE_REFUSED", "a file that HealthOmics imports", result.problem))


def refused_whole(told: Told, reason: Reason) -> Told:
    counts = told["counts"]
    refused = counts["records_in"] - counts["duplicate"]
    return {
        **told,
        "counts": {**counts, "loaded": 0, "refused": refused},
        "faults": [*told["faults"], asdict(replace(reason))],
    }
