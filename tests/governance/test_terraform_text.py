"""What stands twice, in Terraform and elsewhere, stands the same."""

import re
from importlib.metadata import version

import yaml

from trilake.core.paths import GLUE_JOBS, TERRAFORM


def text_of(pattern: str) -> str:
    return "\n".join(path.read_text() for path in sorted(TERRAFORM.glob(pattern)))


def test_packages_of_glue_jobs_have_the_versions_that_tests_ran_with() -> None:
    pinned = re.findall(r'"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==([0-9.]+)"', text_of("modules/*/main.tf"))
    assert len(pinned) > 4
    for name, number in pinned:
        assert version(name) == number, f"{name} is {version(name)} here; modules/*/main.tf says {number}"


def test_every_job_of_terraform_has_its_script_and_every_script_its_job() -> None:
    wanted = set()
    for room in ("genomic", "imaging"):
        jobs = re.search(
            r"\n  jobs = \{\n(.*?)\n  \}\n", (TERRAFORM / f"modules/{room}/main.tf").read_text(), re.DOTALL
        )
        assert jobs
        wanted |= {f"{room}_{verb}" for verb in re.findall(r"^    (\w+) +=", jobs.group(1), re.MULTILINE)}
    assert wanted == {path.stem for path in GLUE_JOBS.glob("*.py")}


def test_account_and_root_name_the_same_administrators_and_region() -> None:
    for path in (TERRAFORM / "environments").glob("*.tfvars"):
        for name in ("administrators", "region"):
            told = [
                re.search(rf"^{name} *= *(.*)$", text.read_text(), re.MULTILINE)
                for text in (path, TERRAFORM / "account/environments" / path.name)
            ]
            assert all(told), f"{path.name}: {name}"
            assert len({match.group(1) for match in told if match}) == 1, f"{path.name}: {name} differs"


def test_every_module_has_its_four_files_and_one_output() -> None:
    for folder in (TERRAFORM / "modules").iterdir():
        assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf"} <= {path.name for path in folder.iterdir()}
        outputs = re.findall(r'^output "(\w+)"', (folder / "outputs.tf").read_text(), re.MULTILINE)
        assert outputs == (["access", "settings"] if folder.name == "governance" else ["settings"])


def test_every_variable_is_typed_described_and_validated() -> None:
    files = [path for path in TERRAFORM.rglob("variables.tf") if ".terraform" not in path.parts]
    assert len(files) > 8
    for path in files:
        blocks = re.split(r'^variable "', path.read_text(), flags=re.MULTILINE)[1:]
        assert len(blocks) <= 12, f"{path}: {len(blocks)} inputs"
        for block in blocks:
            for part in ("\n  description", "\n  type ", "\n  validation {"):
                if part == "\n  validation {" and re.search(r"\n  type += map\(string\)\n|\n  nullable", block):
                    continue
                assert part.rstrip() in block, f"{path}: {block.splitlines()[0]} lacks {part.strip()}"
            assert not re.search(r"\n  type += any", block)


def test_the_policy_names_no_person() -> None:
    personas = yaml.safe_load((TERRAFORM / "access_policy.yaml").read_text())["personas"]
    assert all("@" not in yaml.safe_dump(entry) for entry in personas.values())
