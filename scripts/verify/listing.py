"""The tiers of the package, by name, and the outcome of one.

Beside the main module, because a process that is started anew finds what it has to call by name, and the main module of
a package has none there.

Example: outcome_of("spark").verdict
"""

import importlib
import pkgutil

import verify
from verify.tier import Outcome, Tier, outcome

ORDER = ("terraform", "sql_parity", "random_sql", "spark", "wire", "clients", "vcf_laws", "engine_tests")
"""The longest first, so that those that run side by side end together."""


def tiers() -> dict[str, Tier]:
    """Those of the package's modules, by name, in their order."""
    modules = [module.name for module in pkgutil.iter_modules(verify.__path__) if module.name != "__main__"]
    declared = [getattr(importlib.import_module(f"verify.{name}"), "TIER", None) for name in modules]
    named = {tier.name: tier for tier in declared if tier is not None}
    return {name: named[name] for name in sorted(named, key=lambda name: ORDER.index(name))}


def outcome_of(name: str) -> Outcome:
    return outcome(tiers()[name])
