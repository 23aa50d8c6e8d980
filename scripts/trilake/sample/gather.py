"""From finished shards to one sample: NDJSON files, the annotation, the truth's tables and its manifest.

Parts are read in order of shard, so the bytes do not depend on who finished first; one part is in memory at a time.

Reads <truth>/parts/; writes <sample>/fhir/ndjson, <sample>/annotation and <truth>/. Make target: sample.
Example: gather(Path("s"), Path("s.truth"), orders, {"seed": 7})
"""

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from trilake.sample import clinvar, effects, scanners
from trilake.sample.bayes import auc, bayes_auc
from trilake.sample.cohorts import QUESTIONS, describe
from trilake.sample.defects import inject
from trilake.sample.fhir_person import organizations, practitioners
from trilake.sample.shard import ShardOrder, file_entry
from trilake.sample.truth import SCHEMAS

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
        injected, defects = inject(sample)
        files += [file_entry(path, sample) for path in injected.files]
        counts.update({f"rows/{name}": n for name, n in injected.rows.items()})
        counts.update({f"fhir/{kind}": n for kind, n in injected.resources.items()})
        _write_json(truth / "defects.json", defects)
        _write_json(truth / "discordances.json", injected.discordances)
        extra["links"] = injected.links
    for name in SCHEMAS:
        _join_tables(
            truth / f"{name}.parquet", [order.part / f"{name}.parquet" for order in orders], extra.get(name, [])
        )
    summary = _counts(counts, files)
    _write_json(truth / "counts.json", summary)
    _write_json(truth / "cohorts.json", [describe(question, cohorts[question.name]) for question in QUESTIONS])
    _write_json(truth / "effects.json", {**effects.describe(), "scanners": scanners.describe()})
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
    found: dict[str, dict[str, int]] = {}
    for entry in files:
        parts = str(entry["path"]).split("/")
        folder = "/".join(parts[:2]) if parts[0] == "fhir" else parts[0]
        into = found.setdefault(folder, {"n_files": 0, "n_bytes": 0})
        into["n_files"] += 1
        into["n_bytes"] += entry["n_bytes"]
    return dict(sorted(found.items()))


def _best_auc(truth: Path) -> dict[str, Any]:
    """What the model could reach on endless people, and what the true probabilities reach on these ones."""
    table = pq.read_table(truth / "outcomes.parquet", columns=["outcome", "label", "probability"])
    outcomes, labels, probability = (table[name].to_numpy() for name in ("outcome", "label", "probability"))
    here = {}
    for name in effects.OUTCOMES:
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
