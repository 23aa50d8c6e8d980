"""Settings: what Terraform built, as one frozen typed object.

The road: tfvars -> module inputs -> each module's `settings` output -> `terraform output -json` ->
`<state>/<env>/settings.json` (and the same file in the artifact bucket, for Glue jobs) -> `Settings`.
Every field is required; to add one, add it to the module's `settings` output and here
(tests/core/test_settings.py compares the two).

Example: Settings.read(Path(".trilake/local/settings.json")).clinical.database
"""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from trilake.core.errors import SettingsError


class Frozen(BaseModel):
    """Immutable, and no field that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Core(Frozen):
    account_id: str
    region: str
    environment: str
    name_prefix: str
    raw_bucket: str
    lake_bucket: str
    results_bucket: str
    artifact_bucket: str
    kms_key_arn: str
    workgroup: str
    operations_database: str
    code_prefix: str


class Clinical(Frozen):
    database: str
    datastore_id: str
    datastore_arn: str
    import_role_arn: str


class HealthOmics(Frozen):
    """Stores of HealthOmics; their names and ids are None until a reference is there."""

    import_role_arn: str
    reference_store_id: str | None
    reference_arn: str | None
    variant_store: str | None
    variant_store_id: str | None
    annotation_store: str | None
    annotation_store_id: str | None


class Genomic(Frozen):
    backend: Literal["iceberg", "healthomics"]
    database: str
    store_database: str
    load_job_name: str
    job_role_arn: str
    reference_genome: str
    reference_fasta: str | None
    healthomics: HealthOmics | None


class Imaging(Frozen):
    database: str
    store_database: str
    datastore_id: str
    import_role_arn: str
    flatten_job_name: str
    radiomics_job_name: str
    job_role_arn: str


class Linkage(Frozen):
    database: str


class Cohort(Frozen):
    database: str
    extract_uri: str


class Persona(Frozen):
    role_arn: str
    workgroup: str
    description: str


class Governance(Frozen):
    personas: dict[str, Persona]


class Settings(Frozen):
    """All rooms' settings, nested by room: `settings.clinical.database`."""

    core: Core
    clinical: Clinical
    linkage: Linkage
    genomic: Genomic
    imaging: Imaging
    cohort: Cohort
    governance: Governance

    @classmethod
    def parse(cls, values: dict[str, Any], *, source: str) -> "Settings":
        """Settings from one object per room. All missing and unknown names are reported at once (SettingsError)."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = ", ".join(
                f"{'.'.join(map(str, fault['loc']))} ({fault['msg'].lower()})" for fault in error.errors()
            )
            raise SettingsError(f"Settings in {source} do not fit: {faults}", next_step="make deploy") from None

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """Settings from the file that `deploy` writes. SettingsError when nothing is deployed yet."""
        if not path.exists():
            raise SettingsError(f"Nothing is deployed here: {path} does not exist", next_step="make deploy")
        return cls.parse(json.loads(path.read_text()), source=str(path))


def from_outputs(outputs: dict[str, Any]) -> dict[str, Any]:
    """The settings object out of `terraform output -json` ({name: {value: ...}})."""
    return {room: outputs[room]["value"] for room in Settings.model_fields if room in outputs}
