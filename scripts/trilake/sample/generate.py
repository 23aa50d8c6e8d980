"""The whole sample: shards by any number of processes, then what spans them, then the truth and its manifest.

Equal (seed, patients, profile) give equal bytes, whatever the workers, after a resume or on a second run: parts are
read in order of shard, whoever finished first. A stopped run goes on where it was. A folder that this command did not
write is never touched.

Example: generate(Plan(7, 100, "tiny", Path("data")), workers=2, say=print)
"""

import multiprocessing
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from trilake.core.errors import InputError, TrilakeError
from trilake.sample import clinvar, latent, scans
from trilake.sample.cohorts import QUESTIONS, describe
from trilake.sample.defects import Injected, write_clinical, write_genomic, write_imaging
from trilake.sample.fhir_person import organizations, practitioners
from trilake.sample.keys import SHARD_SIZE
from trilake.sample.link_cases import write_link_cases
from trilake.sample.shard import ShardOrder, file_entry, write_shard
from trilake.sample.truth import SCHEMAS, auc, bayes_auc

Members = dict[str, dict[str, list[str]]]


def gather(sample: Path, truth: Path, orders: list[ShardOrder], about: dict[str, Any]) -> dict[str, Any]:
    """Finish the sample and its truth; counts, bytes and the truth folder."""
    counts: Counter[str] = Counter()
    files: list[dict[str, Any]] = []
    cohorts: Members = {question.name: {} for question in QUESTIONS}
    for order in orders:
        done = orjson.loads((order.part / "done.json").read_bytes())
        counts.update(done["counts"])
        files.extend(done["files"])
        _extend(cohorts, done["cohorts"])
    files += [file_entry(path, sample) for path in _write_shared(sample, orders)]
    extra: dict[str, list[dict[str, Any]]] = {}
    if about["profile"] == "dirty":
        injected = Injected()
        for write in (write_clinical, write_genomic, write_imaging, write_link_cases):
            write(sample, injected)
        files += [file_entry(path, sample) for path in injected.files]
        counts.update({f"rows/{name}": n for name, n in injected.rows.items()})
        counts.update({f"fhir/{kind}": n for kind, n in injected.resources.items()})
        _write_json(truth / "defects.json", [asdict(defect) for defect in injected.defects])
        _write_json(truth / "discordances.json", injected.discordances)
        extra["links"] = injected.links
    for name in SCHEMAS:
        _join_tables(
            truth / f"{name}.parquet", [order.part / f"{name}.parquet" for order in orders], extra.get(name, [])
        )
    summary = _counts(counts, files)
    _write_json(truth / "counts.json", summary)
    _write_json(truth / "cohorts.json", [describe(question, cohorts[question.name]) for question in QUESTIONS])
    _write_json(truth / "effects.json", {**latent.describe(), "scanners": scans.describe()})
    _write_json(truth / "bayes_auc.json", _best_auc(truth))
    return _finish(truth, about, sorted(files, key=lambda entry: str(entry["path"])), summary)


def _extend(cohorts: Members, part: Members) -> None:
    for name, groups in part.items():
        for group, ids in groups.items():
            cohorts[name].setdefault(group, []).extend(ids)


def _write_shared(sample: Path, orders: list[ShardOrder]) -> list[Path]:
    """Files that span shards."""
    ndjson = sample / "fhir" / "ndjson"
    kinds = sorted({path.name for order in orders for path in order.part.glob("*.ndjson")})
    paths = [ndjson / kind for kind in kinds]
    for path in paths:
        with path.open("wb") as stream:
            for order in orders:
                part = order.part / path.name
                if part.exists():
                    stream.write(part.read_bytes())
    for name, resources in (("Organization", organizations()), ("Practitioner", practitioners())):
        path = ndjson / f"{name}.ndjson"
        path.write_bytes(b"".join(orjson.dumps(resource) + b"\n" for resource in resources))
        paths.append(path)
    return [*paths, *clinvar.write_releases(sample / "annotation")]


def _join_tables(path: Path, parts: Iterable[Path], extra: list[dict[str, Any]]) -> None:
    with pq.ParquetWriter(path, SCHEMAS[path.stem]) as writer:
        for part in parts:
            writer.write_table(pq.read_table(part, schema=SCHEMAS[path.stem]))
        if extra:
            writer.write_table(pa.Table.from_pylist(extra, schema=SCHEMAS[path.stem]))


def _counts(counts: Counter[str], files: list[dict[str, Any]]) -> dict[str, Any]:
    fhir = {name.removeprefix("fhir/"): n for name, n in sorted(counts.items()) if name.startswith("fhir/")}
    fhir |= {"Organization": len(organizations()), "Practitioner": len(practitioners())}
    annotations, samples = clinvar.n_records(), counts["samples"]
    rows = {name.removeprefix("rows/"): n for name, n in sorted(counts.items()) if name.startswith("rows/")}
    rows["clinical.site"] = len(organizations())
    whole = {
        "genomic.sample": samples,
        "genomic.variant": counts["variant_rows"],
        "genomic.dosage": samples * len(clinvar.annotated_on_panel()),
        "genomic.annotation": annotations,
        "imaging.study": counts["studies"],
        "imaging.series": counts["series"],
        "imaging.instance": counts["instances"],
    }
    rows |= {name: n + rows.get(name, 0) for name, n in whole.items()}
    return {
        "patients": {name.removeprefix("people/"): n for name, n in counts.items() if name.startswith("people/")},
        "files": _files_by_folder(files),
        "fhir": dict(sorted(fhir.items())),
        "vcf": {"samples": samples, "records": counts["vcf_records"], "annotation_records": annotations},
        "dicom": {"studies": counts["studies"], "series": counts["series"], "instances": counts["instances"]},
        "governed_rows": rows,
        "notes": {
            "clinical.observation": "one row per Observation (component_index 0) and one per component",
            "clinical.coding": "one row per coding of the elements that sample/governed.py lists",
        },
    }


def _files_by_folder(files: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    totals: dict[str, dict[str, int]] = {}
    for entry in files:
        parts = str(entry["path"]).split("/")
        folder = "/".join(parts[:2]) if parts[0] == "fhir" else parts[0]
        into = totals.setdefault(folder, {"n_files": 0, "n_bytes": 0})
        into["n_files"] += 1
        into["n_bytes"] += entry["n_bytes"]
    return dict(sorted(totals.items()))


def _best_auc(truth: Path) -> dict[str, Any]:
    """What the model could reach on endless people, and what the true probabilities reach on these ones."""
    table = pq.read_table(truth / "outcomes.parquet", columns=["outcome", "label", "probability"])
    outcomes, labels, probability = (table[name].to_numpy() for name in ("outcome", "label", "probability"))
    here = {}
    for name in latent.OUTCOMES:
        mine = outcomes == name
        label = labels[mine].astype(float)
        is_defined = 0 < label.sum() < len(label)
        here[name] = round(auc(probability[mine], label), 3) if is_defined else None
    return {"best_possible": bayes_auc(), "true_probability_on_these_patients": here}


def _finish(truth: Path, about: dict[str, Any], files: list[dict[str, Any]], summary: dict[str, Any]) -> dict[str, Any]:
    shutil.rmtree(truth / "parts")
    names = [f"{name}.parquet" for name in SCHEMAS] + [f"{name}.json" for name in _DOCUMENTS]
    names += ["defects.json", "discordances.json"] if about["profile"] == "dirty" else []
    own = [file_entry(truth / name, truth) for name in sorted(names)]
    _write_json(truth / "manifest.json", {**about, "files": files, "truth_files": own})
    n_bytes = sum(int(entry["n_bytes"]) for entry in files)
    return {
        **about,
        "n_files": len(files),
        "n_bytes": n_bytes,
        "counts": summary,
        "truth": str(truth),
    }


_DOCUMENTS = ("counts", "cohorts", "effects", "bayes_auc")


def _write_json(path: Path, content: Any) -> None:
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")


GENERATOR_VERSION = 3
"""Rises when equal arguments give other bytes."""
OWN_FOLDERS = ("annotation", "dicom", "fhir", "vcf")


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    seed: int
    n_patients: int
    profile: str
    out: Path

    @property
    def truth(self) -> Path:
        return self.out.with_name(self.out.name + ".truth")

    def orders(self) -> Iterator[ShardOrder]:
        """The shards; the last one may be short."""
        for first in range(0, self.n_patients, SHARD_SIZE):
            n = min(SHARD_SIZE, self.n_patients - first)
            yield ShardOrder(self.seed, first // SHARD_SIZE, n, self.out, self.truth, self.profile)

    def describe(self) -> dict[str, Any]:
        """What decides the bytes."""
        return {
            "notice": "Synthetic data, not from persons; not clinical evidence",
            "generator_version": GENERATOR_VERSION,
            "profile": self.profile,
            "seed": self.seed,
            "n_patients": self.n_patients,
        }


def generate(plan: Plan, *, workers: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Write the sample and its truth; counts, bytes and the truth folder."""
    _claim(plan)
    _write_shards(plan, workers, say)
    say("Writing the truth about them")
    return gather(plan.out, plan.truth, list(plan.orders()), plan.describe())


def _claim(plan: Plan) -> None:
    """Make both folders ours: new, to be resumed, or cleared of an earlier sample of ours."""
    run = plan.truth / "run.json"
    foreign = (
        sorted(path.name for path in plan.out.iterdir() if path.name not in OWN_FOLDERS) if _exists(plan.out) else []
    )
    if foreign or (_holds_something(plan.out) and not run.exists()):
        problem = f"it holds {', '.join(foreign[:5])}" if foreign else f"{run} is not there"
        raise InputError(
            f"{plan.out} was not written by `trilake sample`: {problem}.", next_step="choose another --out"
        )
    if _holds_something(plan.truth) and not run.exists():
        raise InputError(f"{plan.truth} was not written by `trilake sample`.", next_step="choose another --out")
    is_same = run.exists() and orjson.loads(run.read_bytes()) == plan.describe()
    if not is_same or (plan.truth / "manifest.json").exists():
        shutil.rmtree(plan.truth, ignore_errors=True)
        for name in OWN_FOLDERS:
            shutil.rmtree(plan.out / name, ignore_errors=True)
    plan.truth.mkdir(parents=True, exist_ok=True)
    plan.out.mkdir(parents=True, exist_ok=True)
    run.write_bytes(orjson.dumps(plan.describe()))


def _exists(folder: Path) -> bool:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder.", next_step="choose another --out")
    return folder.exists()


def _holds_something(folder: Path) -> bool:
    return _exists(folder) and any(folder.iterdir())


def _write_shards(plan: Plan, workers: int, say: Callable[[str], None]) -> None:
    orders = list(plan.orders())
    pending = [order for order in orders if not order.is_done]
    n_done = sum(order.n_people for order in orders if order.is_done)
    if n_done:
        say(f"Going on after {n_done} of {plan.n_patients} patients")
    for n in _run(pending, workers):
        n_done += n
        say(f"{n_done} of {plan.n_patients} patients")


def _run(orders: list[ShardOrder], workers: int) -> Iterator[int]:
    """People per finished shard. One worker stays in this process."""
    if workers == 1 or len(orders) < 2:
        yield from map(write_shard, orders)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(orders)), mp_context=context) as pool:
        try:
            for future in as_completed([pool.submit(write_shard, order) for order in orders]):
                yield future.result()
        except BrokenProcessPool as error:
            message = "A worker process of `trilake sample` died (out of memory?)."
            raise TrilakeError(message, next_step="run the same command again; it goes on where it was") from error
