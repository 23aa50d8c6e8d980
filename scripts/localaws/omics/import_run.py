"""One import job from its files to the store's table.

Reads objects through the job's role; writes rows. Behind `make ingest`.
Example: `ImportRun(world, state, store, job).run()`.

A file is imported whole or not at all: the first line that does not fit fails its item. The rows of all good files
are there at once, when the job ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localaws.job_access import JobAccess, JobRefused, S3Object, split_uri
from localaws.omics import hosting
from localaws.omics.fasta import Fasta
from localaws.omics.rows import Options, Row, annotation_rows, variant_rows
from localaws.omics.shapes import annotation_shape
from localaws.omics.state import Job, OmicsState, Store
from localaws.omics.tables import commit, open_table, write_rows
from localaws.omics.tabular import TableError, gff_rows, tsv_rows
from localaws.omics.vcf import VcfError, VcfFile

if TYPE_CHECKING:
    from localaws.world import World

PRINCIPAL = "omics.amazonaws.com"
MAX_FILE_BYTES = 20 * 10**9


class ImportRun:
    """The work of one job; its items' statuses change as it goes."""

    def __init__(self, world: World, state: OmicsState, store: Store, job: Job) -> None:
        self._world, self._state, self._store, self._job = world, state, store, job
        version = job.properties.get("versionName")
        self._table = store.versions[version].table if version else store.name

    def run(self) -> None:
        """Import every file that can be imported; JobRefused when the role cannot be taken on."""
        properties = self._job.properties
        try:
            access = JobAccess(self._world, properties["roleArn"], PRINCIPAL, self._store.properties["storeArn"])
        except JobRefused as error:
            self._fail_all(str(error))
            return
        with tempfile.TemporaryDirectory(prefix="omics-") as scratch:
            good: list[Path] = []
            for number, item in enumerate(properties["items"]):
                path = Path(scratch, f"{number}.parquet")
                if self._file(access, item, path):
                    good.append(path)
            with self._state.commits:
                if not self._job.is_running:
                    return
                place = hosting.database_name(self._world, self._store)
                n_bytes = commit(self._world, place, self._table, hosting.bucket_name(self._store), good)
                self._store.properties["storeSizeBytes"] += n_bytes

    def _fail_all(self, message: str) -> None:
        for item in self._job.properties["items"]:
            self._end(item, "FAILED", message)

    def _end(self, item: dict[str, Any], status: str, message: str = "") -> None:
        item["jobStatus"] = status
        if self._store.kind == "variant" and message:
            item["statusMessage"] = message

    def _file(self, access: JobAccess, item: dict[str, Any], path: Path) -> bool:
        item["jobStatus"] = "IN_PROGRESS"
        try:
            source = self._source(access, item["source"])
            table = open_table(self._world, hosting.database_name(self._world, self._store), self._table)
            write_rows(self._rows(source), table, path)
        except (JobRefused, VcfError, TableError, ValueError) as error:
            self._end(item, "FAILED", str(error))
            return False
        self._end(item, "COMPLETED")
        return True

    def _source(self, access: JobAccess, uri: str) -> Path:
        bucket, key = split_uri(uri)
        path = access.read(S3Object(bucket, key, 0))
        if path.stat().st_size > MAX_FILE_BYTES:
            raise JobRefused("A file of an import job may have 20 GB at most.")
        return path

    def _rows(self, path: Path) -> Iterator[Row]:
        properties = self._job.properties
        store_format = self._store.properties.get("storeFormat", "VCF")
        if store_format == "GFF":
            yield from gff_rows(path)
        elif store_format == "TSV":
            given = properties.get("formatOptions", {}).get("tsvOptions", {}).get("readOptions", {})
            yield from tsv_rows(path, annotation_shape("TSV", self._tsv_options()), given)
        else:
            yield from self._vcf_rows(path)

    def _tsv_options(self) -> dict[str, Any]:
        version = self._store.versions[self._job.properties["versionName"]].properties
        found: dict[str, Any] = version["versionOptions"]["tsvVersionOptions"]
        return found

    def _vcf_rows(self, path: Path) -> Iterator[Row]:
        make = variant_rows if self._store.kind == "variant" else annotation_rows
        with VcfFile(path) as file:
            if self._store.kind == "variant" and not file.header.samples:
                raise VcfError("The file has no samples.")
            options = self._options(file)
            for record in file.records():
                yield from make(record, file.header, options)

    def _options(self, file: VcfFile) -> Options:
        properties = self._job.properties
        vcf = properties.get("formatOptions", {}).get("vcfOptions", {})
        vep = properties.get("annotationFields", {}).get("VEP")
        return Options(
            self._job.id,
            self._fasta() if properties["runLeftNormalization"] else None,
            vep,
            file.header.parts_of(vep) if vep else [],
            bool(vcf.get("ignoreQualField")),
            bool(vcf.get("ignoreFilterField")),
        )

    def _fasta(self) -> Fasta:
        reference = self._state.reference(self._store.properties["reference"]["referenceArn"])
        bucket, key = split_uri(reference.key)
        return Fasta(self._world.object_path(bucket, key))
