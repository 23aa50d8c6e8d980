"""The reference of HealthOmics stores: found, staged, imported once; and what is said where stores are refused."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.genomic.hosted import a_role, choose, settled
from tests.lake import NAMES, built_lake, lake
from trilake.core.errors import InputError, ServiceError
from trilake.core.session import Session
from trilake.core.terraform import TerraformError
from trilake.operations import reference
from trilake.operations.reference import (
    awaits_reference,
    chosen_backend,
    explained,
    import_reference,
    release_reference,
    staged,
    tell_terraform,
)

__all__ = ["built_lake", "lake"]
FASTA = b">chr1\nACGT\n"


@pytest.fixture
def waiting(lake: Session, tmp_path: Path) -> Session:
    """A lake whose reference store is there, and empty."""
    omics = lake.client("omics")
    for store in omics.list_reference_stores()["referenceStores"]:
        for held in omics.list_references(referenceStoreId=store["id"])["references"]:
            omics.delete_reference(referenceStoreId=store["id"], id=held["id"])
        omics.delete_reference_store(id=store["id"])
        lake.client("iam").delete_role_policy(RoleName="test-omics", PolicyName="read")
        lake.client("iam").delete_role(RoleName="test-omics")
    stores = {
        "import_role_arn": a_role(lake),
        "reference_store_id": omics.create_reference_store(name="trilake_local_genomic")["id"],
        **dict.fromkeys(
            ("reference_arn", "variant_store", "variant_store_id", "annotation_store", "annotation_store_id")
        ),
    }
    (tmp_path / "build.fa").write_bytes(FASTA)
    choose(lake, backend="healthomics", healthomics=stores, reference_fasta=str(tmp_path / "build.fa"))
    return lake


def test_the_backend_is_that_of_the_tfvars_or_else_of_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/prod.tfvars").write_text('region = "x"\n genomic_backend   = "healthomics" # ours\n')
    (tmp_path / "environments/local.tfvars").write_text('# genomic_backend = "healthomics"\n')
    monkeypatch.setattr(reference, "TERRAFORM", tmp_path)
    assert [chosen_backend(name) for name in ("prod", "local")] == ["healthomics", "iceberg"]
    monkeypatch.setenv("TF_VAR_genomic_backend", "healthomics")
    assert chosen_backend("local") == "healthomics"


def test_a_reference_is_imported_once_and_told_to_terraform_from_then_on(
    waiting: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    terraform = SimpleNamespace(tree=tmp_path)
    monkeypatch.setenv("TF_VAR_genomic_backend", "healthomics")
    tell_terraform(waiting, terraform, "local")
    assert not (tmp_path / reference.TOLD_FILE).exists(), "there is nothing to tell yet"
    assert awaits_reference(waiting.settings)
    arn = import_reference(waiting, waiting.settings, said.append)
    assert "/reference/" in arn and "GRCh38" in said[0]
    tell_terraform(waiting, terraform, "local")
    assert json.loads((tmp_path / reference.TOLD_FILE).read_text()) == {"healthomics": {"imported_reference_arn": arn}}
    monkeypatch.setenv("TF_VAR_genomic_backend", "iceberg")
    tell_terraform(waiting, terraform, "local")
    assert not (tmp_path / reference.TOLD_FILE).exists()


def test_what_is_no_fasta_ends_the_deployment_with_the_services_words(waiting: Session, tmp_path: Path) -> None:
    (tmp_path / "build.fa").write_bytes(b"nonsense\n")
    with pytest.raises(ServiceError, match="Line 1 is not a sequence"):
        import_reference(waiting, waiting.settings, lambda text: None)


def test_a_fasta_of_another_bucket_is_copied_to_where_the_role_may_read(waiting: Session) -> None:
    s3 = waiting.client("s3")
    s3.create_bucket(Bucket="genomes-elsewhere")
    s3.put_object(Bucket="genomes-elsewhere", Key="a/build.fa.gz", Body=b"x")
    choose(waiting, reference_fasta="s3://genomes-elsewhere/a/build.fa.gz")
    assert staged(waiting, waiting.settings) == f"s3://{NAMES['raw']}/genomic/reference/build.fa.gz"
    choose(waiting, reference_fasta="s3://genomes-elsewhere/not-there.fa")
    with pytest.raises(InputError, match="not-there"):
        staged(waiting, waiting.settings)
    choose(waiting, reference_fasta="/not/there.fa")
    with pytest.raises(InputError, match="does not exist"):
        staged(waiting, waiting.settings)


def test_a_reference_beyond_the_quota_is_not_sent(waiting: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "LARGEST", 3)
    with pytest.raises(InputError, match="3 at most"):
        staged(waiting, waiting.settings)


def test_a_reference_goes_with_its_store_unless_something_uses_it(waiting: Session) -> None:
    omics, store = waiting.client("omics"), waiting.settings.genomic.healthomics.reference_store_id
    arn = import_reference(waiting, waiting.settings, lambda _: None)
    stays, goes = (
        SimpleNamespace(content={"resource_changes": [{"type": reference.STORE_TYPE, "change": {"actions": actions}}]})
        for actions in (["delete", "create"], ["delete"])
    )
    release_reference(waiting, stays, "local")
    assert [held["arn"] for held in omics.list_references(referenceStoreId=store)["references"]] == [arn]
    omics.create_variant_store(name="uses_it", reference={"referenceArn": arn})
    settled(lambda: omics.get_variant_store(name="uses_it"))
    with pytest.raises(ServiceError, match="cannot go.*uses the reference"):
        release_reference(waiting, goes, "local")
    omics.delete_variant_store(name="uses_it", force=True)
    settled(lambda: {"status": "IN_PROGRESS" if omics.list_variant_stores()["variantStores"] else "GONE"})
    release_reference(waiting, goes, "local")
    omics.delete_reference_store(id=store)
    release_reference(waiting, goes, "local")


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("AWS::Omics::VariantStore CREATE: AccessDenied: stores are no longer open", 'genomic_backend = "iceberg"'),
        ("Instance cannot be destroyed\nresource awscc_omics_variant_store.this", 'genomic_backend = "healthomics"'),
        ("AWS::Omics::VariantStore CREATE: Throttling: slow down", None),
        ("AWS::IAM::Role CREATE: AccessDenied", None),
    ],
)
def test_terraforms_words_come_with_what_to_do(words: str, step: str | None) -> None:
    error = explained(TerraformError(words))
    assert words in error.message
    assert (step is None and error.next_step is None) or (step or "") in str(error.next_step)
