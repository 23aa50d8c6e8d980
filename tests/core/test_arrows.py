"""Arrows between rooms go one way: derived from imports, SQL and Terraform, never listed by hand elsewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from trilake.core.paths import GLUE_JOBS, SCRIPTS, TERRAFORM
from trilake.core.sql import load_relations

LAKE = {"core", "clinical", "linkage"}
MAY_USE = {
    "core": set(),
    "sample": {"core"},
    "governance": {"core"},
    "clinical": {"core"},
    "linkage": {"core", "clinical"},
    "genomic": LAKE,
    "imaging": LAKE,
    "cohort": LAKE | {"genomic", "imaging"},
    "ml": LAKE | {"genomic", "imaging", "cohort"},
    "dashboard": LAKE | {"genomic", "imaging", "cohort", "ml", "operations"},
    "operations": LAKE | {"genomic", "imaging", "cohort", "ml", "dashboard", "governance", "sample"},
}
RAW = {
    "clinical": {"healthlake"},
    "linkage": {"genomic_store", "imaging_store"},
    "genomic": {"genomic_store"},
    "imaging": {"imaging_store"},
}
"""Raw stores that a room's tables read; linkage reads there what objects say of themselves."""
PIPELINE = ["core", "clinical", "linkage", "genomic", "imaging", "cohort", "governance"]


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            if name.startswith("trilake."):
                yield name.split(".")[1]


def python_files() -> list[Path]:
    return sorted((SCRIPTS / "trilake").glob("*/**/*.py"))


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_imports_go_one_way(path):
    room = path.relative_to(SCRIPTS / "trilake").parts[0]
    assert set(imported_rooms(path)) - {room} <= MAY_USE[room]


@pytest.mark.parametrize("path", sorted(GLUE_JOBS.glob("*.py")), ids=lambda path: path.name)
def test_a_glue_job_belongs_to_the_room_that_its_name_starts_with(path):
    room = path.stem.split("_")[0]
    assert set(imported_rooms(path)) <= MAY_USE[room] | {room}


@pytest.mark.parametrize("folder", [SCRIPTS / "localaws", SCRIPTS.parent / "tests" / "localaws"], ids=["code", "tests"])
def test_localaws_could_be_published_alone(folder):
    for path in folder.glob("**/*.py"):
        assert not list(imported_rooms(path)), path


def test_the_fhir_model_imports_neither_the_platform_nor_the_laptops_aws():
    for path in (SCRIPTS / "fhir_r4").glob("**/*.py"):
        assert not re.search(r"^\s*(?:from|import) (?:trilake|localaws)\b", path.read_text(), re.MULTILINE), path


@pytest.mark.parametrize("relation", load_relations().values(), ids=lambda relation: relation.name)
def test_sql_reads_one_way(relation):
    room = relation.name.split(".")[0]
    rooms = {name.split(".")[0] for name in relation.reads} - {room}
    raw = RAW.get(room, set()) if relation.kind == "table" else set()
    assert rooms <= MAY_USE[room] | raw


def test_terraform_modules_refer_to_earlier_rooms_only():
    text = (TERRAFORM / "main.tf").read_text()
    blocks = re.findall(r'^module "(\w+)" \{(.*?)^\}', text, flags=re.MULTILINE | re.DOTALL)
    assert [name for name, _ in blocks] == PIPELINE
    for name, body in blocks:
        for used in re.findall(r"module\.(\w+)", body):
            assert PIPELINE.index(used) < PIPELINE.index(name), f"{name} refers to {used}"


def test_only_core_asks_which_environment_it_is_in():
    for path in python_files():
        if path.relative_to(SCRIPTS / "trilake").parts[0] != "core":
            asks = re.search(r"environment\s*[!=]=|==\s*LOCAL\b|import localaws|from localaws", path.read_text())
            assert not asks, path
