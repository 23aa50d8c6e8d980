"""Image sets that changed without an ingest: an event starts the flatten job, which reads only what is new."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.imaging.conftest import a_dicom
from tests.stores import Loads, built_lake, lake, rows_of, stores
from trilake.core.glue_job import Job, Polling
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.session import Session
from trilake.imaging import flatten_job
from trilake.imaging.flatten_job import differences
from trilake.imaging.importer import Importer
from trilake.imaging.tables import stored_series
from trilake.sample.dicom import write_study
from trilake.sample.people import draw_shard
from trilake.sample.phantom import Rendered
from trilake.sample.record import Scan
from trilake.sample.scans import Form

__all__ = ["built_lake", "lake", "stores"]
TERRAFORM = Path(__file__).resolve().parents[2] / "terraform/modules/imaging/events.tf"
GEOMETRY = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [2, 2], "SliceThickness": 4}


def an_instance(folder: Path, study: str, number: int = 1) -> bytes:
    uids = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1", "SOPInstanceUID": f"{study}.1.{number}"}
    place = {"ImagePositionPatient": [0, 0, 4 * number], "InstanceNumber": number}
    return a_dicom(folder / "one", **uids, **place, **GEOMETRY).read_bytes()


@dataclass(frozen=True)
class Study:
    """A study of the sample with its segmentation, on disk: an enhanced object first, the segmentation last."""

    scan: Scan
    rendered: Rendered
    paths: list[Path]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    people = draw_shard(7, 0, 50, "imaging").people
    scan = next(one for person in people for one in person.scans if one.has_file)
    paths, rendered = write_study(scan, None, tmp_path_factory.mktemp("study"), Form(True, "j2k", True))
    return Study(scan, rendered, paths)


@pytest.fixture(scope="module")
def loaded(stores: Session, study: Study, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Three studies of one instance each and one of the sample, still without segmentation, loaded by an ingest."""
    folder = tmp_path_factory.mktemp("loads")
    contents = {uid: an_instance(folder, uid) for uid in ("1.3.1", "1.3.2", "1.3.3")}
    Loads(stores, folder, Importer())({**contents, "scan": study.paths[0].read_bytes()})
    return stores


def a_role(session: Session) -> str:
    statement = {"Effect": "Allow", "Action": ["states:StartExecution", "glue:StartJobRun"], "Resource": "*"}
    services = ["events.amazonaws.com", "states.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    iam = session.client("iam")
    made = iam.create_role(RoleName="reconcile", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="reconcile", PolicyName="reconcile", PolicyDocument=policy)
    return str(made["Role"]["Arn"])


def listen(session: Session) -> None:
    """The module's machine and rule for changes, on this lake's job."""
    role, job = a_role(session), session.settings.imaging.flatten_job_name
    task = {
        "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:glue:startJobRun", "Parameters": {"JobName": job},
        "Retry": [{"ErrorEquals": ["Glue.ConcurrentRunsExceededException"], "IntervalSeconds": 60, "MaxAttempts": 1}],
        "End": True,
    }  # fmt: skip
    machine = session.client("stepfunctions").create_state_machine(
        name="reconcile", roleArn=role, definition=json.dumps({"StartAt": "Flatten", "States": {"Flatten": task}})
    )["stateMachineArn"]
    kinds = ["Image Set Copied", "Image Set Updated", "Image Set Deleted"]
    pattern = {"source": ["aws.medical-imaging"], "detail-type": kinds}
    session.client("events").put_rule(Name="changes", EventPattern=json.dumps(pattern))
    target = {"Id": "reconcile", "Arn": machine, "RoleArn": role}
    session.client("events").put_targets(Rule="changes", Targets=[target])


def runs(session: Session) -> list[str]:
    job_runs = session.client("glue").get_job_runs(JobName=session.settings.imaging.flatten_job_name)["JobRuns"]
    return [run["JobRunState"] for run in job_runs]


def test_an_event_makes_the_tables_follow_a_deletion(loaded: Session, study: Study) -> None:
    stores = loaded
    (gone,) = rows_of(stores, "imaging_store.series", study_instance_uid="1.3.2")
    assert rows_of(stores, "imaging_store.radiomics", image_set_id=gone["image_set_id"])
    listen(stores)
    before = len(runs(stores))
    store = {"datastoreId": stores.settings.imaging.datastore_id}
    stores.client("medical-imaging").delete_image_set(**store, imageSetId=gone["image_set_id"])
    wait_for_run(stores, before)
    for table in ("series", "instance", "radiomics"):
        left = {row["study_instance_uid"] for row in rows_of(stores, f"imaging_store.{table}")}
        assert left == {"1.3.1", "1.3.3", study.scan.study_uid}, table
    stores.client("events").disable_rule(Name="changes")


def wait_for_run(session: Session, before: int) -> None:
    """Until one more run than before has succeeded."""
    polling = Polling()
    while len(runs(session)) <= before or set(runs(session)) != {"SUCCEEDED"}:
        assert polling.waited < 120 and "FAILED" not in runs(session)
        polling.pause()


def test_only_what_changed_is_read_again(loaded: Session) -> None:
    assert differences(loaded) == ([], [])
    snapshots = snapshot_ids(loaded)
    flatten_job.flatten(Job({}, loaded))
    assert snapshot_ids(loaded) == snapshots
    (changed,) = [one for one in stored_series(loaded) if one.study_instance_uid == "1.3.1"]
    rename(loaded, changed.image_set_id, changed.version)
    assert differences(loaded) == ([{"image_set_id": changed.image_set_id}], [])
    asked: list[str] = []
    events = loaded.client("medical-imaging").meta.events
    events.register("before-call.medical-imaging.GetImageSetMetadata", lambda **call: asked.append("metadata"))
    flatten_job.flatten(Job({}, loaded))
    assert asked == ["metadata"]
    assert differences(loaded) == ([], [])
    (row,) = rows_of(loaded, "imaging_store.series", study_instance_uid="1.3.1")
    assert (row["study_description"], row["image_set_version"]) == ("told again", changed.version + 1)
    assert set(Counter(one.image_set_id for one in stored_series(loaded)).values()) == {1}


def rename(session: Session, image_set_id: str, version: int) -> None:
    """A new version of the image set, with another description of the study."""
    attributes = json.dumps({"SchemaVersion": 1.1, "Study": {"DICOM": {"StudyDescription": "told again"}}}).encode()
    session.client("medical-imaging").update_image_set_metadata(
        datastoreId=session.settings.imaging.datastore_id,
        imageSetId=image_set_id,
        latestVersionId=str(version),
        updateImageSetMetadataUpdates={"DICOMUpdates": {"updatableAttributes": attributes}},
    )
    polling = Polling()
    name = {"datastoreId": session.settings.imaging.datastore_id, "imageSetId": image_set_id}
    while session.client("medical-imaging").get_image_set(**name)["imageSetState"] != "ACTIVE":
        polling.pause()


def snapshot_ids(session: Session) -> list[int]:
    tables = (open_table(session, f"imaging_store.{name}") for name in ("series", "instance", "radiomics"))
    return [snapshot.snapshot_id for table in tables if (snapshot := table.current_snapshot())]


def test_a_segmentation_that_comes_later_has_its_study_measured_again(
    loaded: Session, study: Study, tmp_path: Path
) -> None:
    assert masks_of(loaded, study) == {"foreground_otsu"}
    (outcome,) = Loads(loaded, tmp_path, Importer())({"seg": study.paths[-1].read_bytes()}).values()
    assert (outcome.loaded, outcome.reasons) == (1, [])
    assert masks_of(loaded, study) == {"foreground_otsu", "dicom_seg"}
    (brain,) = rows_of(loaded, "imaging_store.radiomics", mask_label="Brain", feature="morph_vol_approx")
    assert (brain["n_voxels"], brain["series_instance_uid"]) == (study.rendered.brain.sum(), study.scan.series_uid)


def masks_of(session: Session, study: Study) -> set[str]:
    rows = rows_of(session, "imaging_store.radiomics", study_instance_uid=study.scan.study_uid)
    return {row["mask_source"] for row in rows}


def test_the_module_listens_for_what_an_ingest_does_not_do_itself() -> None:
    text = TERRAFORM.read_text()
    for kind in ("Import Job Completed", "Image Set Copied", "Image Set Updated", "Image Set Deleted"):
        assert f'"{kind}"' in text
    assert "Image Set Created" not in text
