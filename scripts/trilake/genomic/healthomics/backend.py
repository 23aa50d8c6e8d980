"""VCF files into HealthOmics stores: the backend for accounts that have them (`genomic_backend = "healthomics"`).

Files are read as the load job reads them, so that the same records are refused; what is left is imported and
registered.

Example: reports = import_hosted(session, hosted, run)

The stores keep every row they were ever given: no operation takes rows back, and what a second import of a sample does
is not documented. So a sample goes in under a name of its own for each content of a file, and the register says
which of them count now. One commit of the register is what replaces a file.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from trilake.core.errors import ServiceError
from trilake.core.glue_job import Item
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.ledger import Reason
from trilake.core.session import Session
from trilake.core.settings import HealthOmics
from trilake.genomic.healthomics.jobs import Imported, ImportJobs, Order
from trilake.genomic.healthomics.register import register_annotations, register_samples
from trilake.genomic.healthomics.share import connect
from trilake.genomic.healthomics.stage import Staged, stage
from trilake.genomic.reader import Report, open_vcf, report_of
from trilake.genomic.reference import local_reference

LARGEST_FILE = 20 * 10**9  # https://docs.aws.amazon.com/general/latest/gr/healthomics-quotas.html


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
    report: Report
    staged: Staged | None


def stores_of(session: Session) -> HealthOmics:
    """The stores as deployed. ServiceError when they are not there."""
    stores = session.settings.genomic.healthomics
    if stores is None or stores.variant_store is None or stores.annotation_store is None:
        raise ServiceError("The HealthOmics stores are not there yet", next_step="make deploy")
    return stores


def import_hosted(session: Session, files: list[Hosted], run: IngestRun) -> dict[str, Report]:
    """Load the files; what became of the records of each, by content hash, in the form of the load job's report."""
    stores_of(session)
    links = connect(session)
    prepared = [prepare(session, hosted, run) for hosted in files]
    jobs = ImportJobs(session, say=run.say, normalises=run.reference is not None)
    imported = jobs.run([order_of(file) for file in prepared if file.staged is not None])
    results = [(file, imported.get(file.hosted.file.sha256)) for file in prepared]
    in_store = [(file.hosted, result) for file, result in results if result is None or not result.problem]
    samples = [(hosted.item, result) for hosted, result in in_store if not hosted.is_annotation]
    releases = [(hosted.item, result) for hosted, result in in_store if hosted.is_annotation]
    if samples:
        register_samples(session, samples, links, run.ingest_id)
    if releases:
        jobs.drop_versions(register_annotations(session, releases, links, run.ingest_id))
    return {file.hosted.file.sha256: settled(file.report, result) for file, result in results}


def order_of(file: Prepared) -> Order:
    assert file.staged is not None
    return Order(file.hosted.file.sha256, file.staged.uri, is_annotation=file.hosted.is_annotation)


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
    report = report_of(reading)
    if not report["counts"]["loaded"]:
        return Prepared(hosted, report, None)
    target = Path(run.work_dir, f"{file.sha256[:32]}.vcf.gz")
    staged = stage(session, file, target, refused={entry.line for entry in reading.refused}, largest=LARGEST_FILE)
    return Prepared(hosted, report, staged) if staged.uri else too_large(hosted, report)


def too_large(hosted: Hosted, report: Report) -> Prepared:
    reason = Reason("VCF_TOO_LARGE", "a file of 20 GB at most, which HealthOmics imports", "a larger one")
    return Prepared(hosted, refused_whole(report, reason), None)


def settled(report: Report, result: Imported | None) -> Report:
    """What became of a file in the end: HealthOmics takes a file whole or not at all."""
    if result is None or not result.problem:
        return report
    return refused_whole(report, Reason("SERVICE_REFUSED", "a file that HealthOmics imports", result.problem))


def refused_whole(report: Report, reason: Reason) -> Report:
    counts = report["counts"]
    refused = counts["records_in"] - counts["duplicate"]
    return {
        **report,
        "counts": {**counts, "loaded": 0, "refused": refused},
        "faults": [*report["faults"], asdict(replace(reason))],
    }
