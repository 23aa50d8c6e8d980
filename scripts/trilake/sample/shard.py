"""One shard on disk: its files in the sample, its part of the truth, and `done.json` as the last thing written.

A shard whose part holds done.json is finished; anything else is written again, to the same bytes.

Example: write_shard(ShardOrder(7, 0, 50, Path("s"), Path("s.truth")))
"""

import hashlib
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from trilake.sample import truth
from trilake.sample.cohorts import QUESTIONS
from trilake.sample.dicom import write_study
from trilake.sample.fhir_background import background_of
from trilake.sample.fhir_chart import chart, examination, specimen
from trilake.sample.fhir_person import consent, patient
from trilake.sample.fhir_style import BUNDLE, NDJSON, SYNTHETIC_TAG, Resource
from trilake.sample.genome import write_sample
from trilake.sample.governed import rows_of
from trilake.sample.keys import resource_id
from trilake.sample.panel import N_ROWS_AFTER_SPLIT, SITES
from trilake.sample.people import draw_shard
from trilake.sample.record import Person, Scan, Sequencing
from trilake.sample.scans import form_of


@dataclass(frozen=True)
class ShardOrder:
    """Which shard to write, and where."""

    seed: int
    shard: int
    n_people: int
    sample: Path
    truth: Path
    profile: str = "tiny"

    @property
    def part(self) -> Path:
        return self.truth / "parts" / f"{self.shard:06d}"

    @property
    def is_done(self) -> bool:
        return (self.part / "done.json").exists()


@dataclass
class _Work:
    """What a shard gathers while it writes."""

    order: ShardOrder
    files: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, list[truth.Row]] = field(default_factory=lambda: {name: [] for name in truth.SCHEMAS})
    lines: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)

    def keep(self, path: Path) -> None:
        """Note a finished file of the sample."""
        self.files.append(file_entry(path, self.order.sample))


def file_entry(path: Path, root: Path) -> dict[str, Any]:
    """Path below the root, size and hash of a file."""
    content = path.read_bytes()
    name = path.relative_to(root).as_posix()
    return {"path": name, "n_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def write_shard(order: ShardOrder) -> int:
    """Write the shard; the number of people in it."""
    shutil.rmtree(order.part, ignore_errors=True)
    order.part.mkdir(parents=True)
    for folder in ("fhir/bundles", "fhir/ndjson", "vcf", "dicom"):
        (order.sample / folder).mkdir(parents=True, exist_ok=True)
    shard = draw_shard(order.seed, order.shard, order.n_people, order.profile)
    work = _Work(order)
    for person in shard.people:
        _write_person(work, person)
    for sequencing in shard.orphan_samples:
        _write_sequencing(work, sequencing)
    for scan in shard.orphan_scans:
        _write_scan(work, scan, None)
    _write_part(work, _cohort_members(shard.people))
    return len(shard.people)


def _write_person(work: _Work, person: Person) -> None:
    _write_chart(work, person)
    if person.sequencing:
        _write_sequencing(work, person.sequencing)
    for scan in person.scans:
        if scan.has_file:
            _write_scan(work, scan, person)
        else:
            work.rows["links"].append(truth.study_link(scan))
    work.rows["patients"].append(truth.patient_row(person))
    work.rows["outcomes"].extend(truth.outcome_rows(person))
    has_scan = any(scan.has_file for scan in person.scans)
    work.counts["people/n"] += 1
    work.counts["people/vcf"] += person.sequencing is not None
    work.counts["people/mr"] += has_scan
    work.counts["people/all_three"] += has_scan and person.sequencing is not None


def _resources(person: Person) -> Iterator[Resource]:
    style = BUNDLE if person.is_bundle else NDJSON
    yield patient(person, style)
    yield consent(person, style)
    yield from chart(person, style)
    yield from background_of(person, style)
    yield from examination(person, style)
    yield from specimen(person, style)


def _write_chart(work: _Work, person: Person) -> None:
    resources = list(_resources(person))
    for resource in resources:
        kind = resource["resourceType"]
        work.counts[f"fhir/{kind}"] += 1
        work.counts.update({f"rows/{name}": n for name, n in rows_of(resource).items()})
        if not person.is_bundle:
            work.lines[kind].append(orjson.dumps(resource))
    if person.is_bundle:
        path = work.order.sample / "fhir/bundles" / f"{person.identity.file_stem}.json"
        path.write_bytes(orjson.dumps(_bundle(person, resources), option=orjson.OPT_INDENT_2))
        work.keep(path)


def _bundle(person: Person, resources: list[Resource]) -> Resource:
    entries = [
        {
            "fullUrl": f"urn:uuid:{resource['id']}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for resource in resources
    ]
    meta = {"tag": [SYNTHETIC_TAG]}
    identifier = resource_id(person.patient_id, "bundle")
    return {"resourceType": "Bundle", "id": identifier, "meta": meta, "type": "transaction", "entry": entries}


def _write_sequencing(work: _Work, sequencing: Sequencing) -> None:
    path = work.order.sample / "vcf" / sequencing.file_name
    write_sample(sequencing, path)
    work.keep(path)
    work.rows["genotypes"].extend(truth.genotype_rows(sequencing))
    work.rows["links"].append(truth.sample_link(sequencing))
    work.counts["samples"] += 1
    work.counts["vcf_records"] += len(SITES)
    work.counts["variant_rows"] += N_ROWS_AFTER_SPLIT


def _write_scan(work: _Work, scan: Scan, person: Person | None) -> None:
    form = form_of(work.order.profile, scan)
    paths, rendered = write_study(scan, person, work.order.sample / "dicom", form)
    for path in paths:
        work.keep(path)
    work.rows["volumes"].append(truth.volume_row(scan, rendered, form))
    work.rows["links"].append(truth.study_link(scan))
    work.counts["studies"] += 1
    work.counts["series"] += 1 + form.has_segmentation
    work.counts["instances"] += len(paths)


def _cohort_members(people: tuple[Person, ...]) -> dict[str, dict[str, list[str]]]:
    answers: dict[str, dict[str, list[str]]] = {}
    for question in QUESTIONS:
        members = [person for person in people if question.holds(person)]
        answers[question.name] = {
            "all": [person.patient_id for person in members],
            "consented_to_research": [person.patient_id for person in members if person.consent.research],
            "consented_to_all_its_data": [person.patient_id for person in members if question.is_consented(person)],
        }
    return answers


def _write_part(work: _Work, cohorts: dict[str, dict[str, list[str]]]) -> None:
    part = work.order.part
    for name, rows in work.rows.items():
        pq.write_table(pa.Table.from_pylist(rows, schema=truth.SCHEMAS[name]), part / f"{name}.parquet")
    for kind, lines in work.lines.items():
        (part / f"{kind}.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
    done = {"files": work.files, "counts": dict(work.counts), "cohorts": cohorts}
    draft = part / "done.json.part"
    draft.write_bytes(orjson.dumps(done))
    draft.rename(part / "done.json")
