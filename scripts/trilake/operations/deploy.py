"""`trilake plan`, `deploy` and `destroy`: the whole of terraform/ in one environment, reviewed before it is applied.

After it, what jobs need at run time (their scripts, the trilake package, the settings) is in the artifact bucket.

Example: trilake plan --env prod
"""

import hashlib
import io
import re
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

import click
from botocore.exceptions import ClientError

from trilake.core.errors import EXIT_REFUSALS
from trilake.core.paths import GLUE_JOBS, SCRIPTS
from trilake.core.session import SETTINGS_FILE, Session
from trilake.core.settings import Settings, from_outputs
from trilake.core.terraform import ROOTS, Plan, Terraform, TerraformError, open_terraform
from trilake.core.verb import Run, on_engine, to_json, verb
from trilake.governance.plan_review import Review, as_text, review
from trilake.operations.reference import (
    awaits_reference,
    explained,
    import_reference,
    release_reference,
    tell_terraform,
    write_told,
)
from trilake.operations.teardown import empty_stores, left_behind

PACKAGE = "trilake.zip"
PACKAGED = ("fhir_r4", "trilake")
KEPT_SUFFIXES = {".py", ".json", ".yaml", ".html"}
DIGEST = "sha256"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
MAIN = ROOTS[-1]
DONE = {"create": "created", "update": "updated", "replace": "replaced", "destroy": "destroyed"}
PROGRESS_STEP = 25
LOOKED_AT = re.compile(r": (Refreshing state|Reading|Read complete after)\b")


@dataclass(frozen=True)
class Proposal:
    """The plans of all roots, in the order they are applied in, with what the review says of each."""

    plans: tuple[Plan, ...]
    reviews: tuple[Review, ...]

    @property
    def has_changes(self) -> bool:
        return any(plan.has_changes for plan in self.plans)

    @property
    def is_blocked(self) -> bool:
        return any(found.blocking for found in self.reviews)

    @property
    def counts(self) -> dict[str, int]:
        """Resources by action, over all roots."""
        total: Counter[str] = Counter()
        for plan in self.plans:
            total.update(plan.counts)
        return {action: total[action] for action in DONE}

    @property
    def summary(self) -> str:
        """`203 to create, 0 to update, ...` or that there is nothing to do."""
        if not self.has_changes:
            return "No changes: what is there is what the configuration says."
        return "Terraform: " + ", ".join(f"{number} to {action}" for action, number in self.counts.items())

    @property
    def review_text(self) -> str:
        """The review in words: of the main root always, of the others when they change something."""
        told = [
            as_text(found)
            for plan, found in zip(self.plans, self.reviews, strict=True)
            if plan.root == MAIN or plan.has_changes
        ]
        return "\n\n".join(told)

    def as_dict(self, environment: str) -> dict[str, Any]:
        joined: dict[str, list[Any]] = {}
        for found in self.reviews:
            for name, value in found.as_dict().items():
                if isinstance(value, list):
                    joined.setdefault(name, []).extend(value)
        roots: dict[str, Counter[str]] = {plan.root.name: Counter() for plan in self.plans}
        for plan in self.plans:
            roots[plan.root.name].update(plan.counts)
        return {"environment": environment, "resources": self.counts, "roots": roots, "review": joined}


@contextmanager
def opened(run: Run) -> Iterator[tuple[Session, Terraform]]:
    """The deployer's session and Terraform in the same environment."""
    with run.session() as session, open_terraform(run.folder, run.environment) as terraform:
        tell_terraform(session, terraform, run.environment)
        yield session, terraform


def propose(terraform: Terraform) -> Proposal:
    try:
        plans = tuple(terraform.plan(root) for root in ROOTS)
    except TerraformError as error:
        raise explained(error) from None
    return Proposal(plans, tuple(review(plan.content) for plan in plans))


@click.command()
@verb
@on_engine
@click.pass_context
def plan(context: click.Context, run: Run) -> None:
    """Show Terraform's plan and, under it, who would gain or lose what. Ends with 3 when the review blocks.

    Example: trilake plan --env prod
    """
    with opened(run) as (_, terraform):
        proposal = propose(terraform)
    texts = [f"# terraform/{item.root.path}\n{without_chatter(item.text)}" for item in proposal.plans]
    run.emit(proposal.as_dict(run.environment), text="\n\n".join([*texts, proposal.review_text]))
    if proposal.is_blocked:
        context.exit(EXIT_REFUSALS)


def without_chatter(text: str) -> str:
    """Terraform's plan without a line for each thing it looked at."""
    lines = text.strip().splitlines()
    return "\n".join(line for line in lines if not LOOKED_AT.search(line))


@click.command()
@verb
@on_engine
@click.option("--yes", is_flag=True, help="Apply without asking (on AWS; the laptop never asks).")
@click.option("--despite-review", is_flag=True, help="Apply although the review blocks.")
@click.option("--brief", is_flag=True, help="Leave out the review's words, unless it blocks.")
@click.pass_context
def deploy(context: click.Context, run: Run, yes: bool, despite_review: bool, brief: bool) -> None:
    """Plan, show what would change in words, apply, and put code and settings where jobs find them.

    Example: trilake deploy --env prod
    """
    started = time.monotonic()
    with opened(run) as (session, terraform):
        proposal = propose(terraform)
        run.say(proposal.summary)
        if proposal.has_changes and (proposal.is_blocked or not brief):
            run.say(proposal.review_text)
        if proposal.is_blocked and not despite_review:
            run.emit(proposal.as_dict(run.environment), text="Nothing was applied: the review blocks.")
            context.exit(EXIT_REFUSALS)
        if proposal.has_changes and not (yes or terraform.is_disposable):
            click.confirm(f"Apply this to {run.environment}?", abort=True, err=True)
        for item in proposal.plans:
            release_reference(session, item, run.environment)
        carry_out(proposal.plans, terraform, run)
        if awaits_reference(write_settings(session, terraform)):
            proposal = with_reference(proposal, session, terraform, run)
        uploaded, inert = upload(session), terraform.inert(proposal.plans)
    result = {
        **proposal.as_dict(run.environment),
        "inert": inert,
        "uploaded": uploaded,
        "settings": str(session.folder / SETTINGS_FILE),
        "seconds": round(time.monotonic() - started, 1),
    }
    run.emit(result, text=told(proposal, result))


def carry_out(plans: Iterable[Plan], terraform: Terraform, run: Run) -> None:
    """Apply what changes something. TerraformError, with what to do where stores of HealthOmics are refused."""
    try:
        for item in plans:
            if item.has_changes:
                terraform.apply(item, progress(run, "done"))
    except TerraformError as error:
        raise explained(error) from None


def with_reference(proposal: Proposal, session: Session, terraform: Terraform, run: Run) -> Proposal:
    """Import the reference and make the stores that refer to it; both plans as one proposal."""
    settings = Settings.read(session.folder / SETTINGS_FILE)
    write_told(terraform, import_reference(session, settings, run.say))
    second = terraform.plan(MAIN)
    run.say(f"Terraform: {second.counts['create']} to create, now that the reference is there")
    carry_out([second], terraform, run)
    write_settings(session, terraform)
    return Proposal((*proposal.plans, second), (*proposal.reviews, review(second.content)))


def told(proposal: Proposal, result: dict[str, Any]) -> str:
    """The end of a deployment in words."""
    counts = proposal.counts
    done = ", ".join(f"{number} {DONE[action]}" for action, number in counts.items() if number) or "outputs only"
    lines = [f"Applied in {result['seconds']} s: {done}." if proposal.has_changes else proposal.summary]
    if result["uploaded"]:
        lines.append(f"Uploaded {len(result['uploaded'])} of code and settings: {', '.join(result['uploaded'])}")
    if result["inert"]:
        kinds = ", ".join(f"{kind} ({number})" for kind, number in result["inert"].items())
        lines.append(f"Kept in Terraform's state only, since there is no such thing here: {kinds}")
    lines.append(f"Settings: {result['settings']}")
    return "\n".join(lines)


def write_settings(session: Session, terraform: Terraform) -> Settings:
    """Keep what Terraform built as the settings of this environment; SettingsError when they do not fit."""
    values = from_outputs(terraform.outputs(MAIN))
    path = session.folder / SETTINGS_FILE
    settings = Settings.parse(values, source="terraform output")
    path.write_text(to_json(values) + "\n")
    return settings


def progress(run: Run, word: str) -> Any:
    """Say now and then how far an apply is."""

    def tell(done: int, total: int) -> None:
        if done % PROGRESS_STEP == 0 or done == total:
            run.say(f"  {done} of {total} {word}")

    return tell


@click.command()
@verb
@on_engine
@click.option("--yes", is_flag=True, help="Destroy without asking (on AWS; the laptop never asks).")
def destroy(run: Run, yes: bool) -> None:
    """Remove everything that deploy made. On the laptop with all data; on AWS, protected stores refuse.

    Example: trilake destroy
    """
    removed: Counter[str] = Counter()
    with opened(run) as (session, terraform):
        settings = session.folder / SETTINGS_FILE
        if terraform.is_disposable and settings.exists():
            empty_stores(session, session.settings)
        elif not (terraform.is_disposable or yes):
            click.confirm(f"Destroy all of {run.environment}?", abort=True, err=True)
        for root in reversed(ROOTS):
            item = terraform.plan_removal(root)
            if item.has_changes:
                terraform.apply(item, progress(run, "removed"))
                removed.update(item.counts)
        terraform.forget()
        settings.unlink(missing_ok=True)
        left = left_behind(session) if terraform.is_disposable else []
    result = {"environment": run.environment, "resources": {"destroy": removed["destroy"]}, "left": left}
    lines = [f"Removed {removed['destroy']} resources." if removed else "Nothing to remove."]
    run.emit(result, text="\n".join([*lines, *(f"Still there: {name}" for name in left)]))


def upload(session: Session) -> list[str]:
    """Upload what differs from what is there; its names below the code prefix."""
    target = urlparse(session.settings.core.code_prefix)
    bucket, prefix = target.netloc, target.path.strip("/")
    s3 = session.client("s3")
    return [name for name, body in artifacts(session) if _put(s3, bucket, f"{prefix}/{name}", body)]


def artifacts(session: Session) -> Iterator[tuple[str, bytes]]:
    """Name and content of everything that jobs need."""
    yield SETTINGS_FILE, (session.folder / SETTINGS_FILE).read_bytes()
    yield PACKAGE, package()
    for path in sorted(GLUE_JOBS.glob("*.py")):
        yield f"glue_jobs/{path.name}", path.read_bytes()


def package() -> bytes:
    """The platform's packages as a zip that is the same, byte by byte, for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for name in PACKAGED for path in (SCRIPTS / name).rglob("*")):
            if path.suffix in KEPT_SUFFIXES and "__pycache__" not in path.parts:
                archive.writestr(zipfile.ZipInfo(str(path.relative_to(SCRIPTS)), ZIP_EPOCH), path.read_bytes())
    return buffer.getvalue()


def _put(s3: Any, bucket: str, key: str, body: bytes) -> bool:
    digest = hashlib.sha256(body).hexdigest()
    if _digest_of(s3, bucket, key) == digest:
        return False
    s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata={DIGEST: digest})
    return True


def _digest_of(s3: Any, bucket: str, key: str) -> str | None:
    try:
        metadata: dict[str, str] = s3.head_object(Bucket=bucket, Key=key)["Metadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise
    return metadata.get(DIGEST)
