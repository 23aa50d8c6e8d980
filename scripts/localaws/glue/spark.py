"""A job's script under the real Spark, as Glue starts it: `--conf` and `--datalake-formats` applied, jars there.

Reads nothing; gives the environment of the script's process. Only with LOCALAWS_GLUE=spark, after `make setup-engines`;
without it a script runs in plain Python, with no Spark to find. Behind the Spark tier of `make verify`.

Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-iceberg.html
Example: LOCALAWS_GLUE=spark trilake ingest
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping

from localaws.caller import REGION
from localaws.installed import InstalledEngines, installed_engines

CHOICE = "LOCALAWS_GLUE"
CATALOG = "spark.sql.catalog."
# A G.1X worker is more than a laptop wants to give; what is here is what 4 vCPU of one get.
SIZED = {"spark.driver.memory": "2g", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4"}


def is_wanted() -> bool:
    return os.environ.get(CHOICE) == "spark"


def environment(arguments: Mapping[str, str], endpoint: str, libraries: list[str]) -> dict[str, str]:
    """Variables with which `import pyspark` finds Spark, and a session gets what Glue gives it.

    EnginesMissing when Spark was not set up.
    """
    found = installed_engines()
    return {
        "JAVA_HOME": str(found.spark_java),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": shlex.join([*submitted(arguments, endpoint, found), "pyspark-shell"]),
        "PYTHONPATH": os.pathsep.join([*libraries, str(found.spark_path)]),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def submitted(arguments: Mapping[str, str], endpoint: str, found: InstalledEngines) -> list[str]:
    """The words of spark-submit: the job's own configuration, and this endpoint for each of its catalogs."""
    configured = configuration(arguments.get("--conf", ""))
    is_iceberg = "iceberg" in arguments.get("--datalake-formats", "").split(",")
    jars = ["--jars", ",".join(str(jar) for jar in found.spark_jars)] if is_iceberg else []
    settings = SIZED | configured | here(configured, endpoint)
    return ["--master", "local[*]", *jars, *(word for pair in settings.items() for word in ("--conf", "=".join(pair)))]


def configuration(text: str) -> dict[str, str]:
    """Settings of Glue's one `--conf` argument, which chains them: `a=1 --conf b=2`."""
    words = (word.strip() for word in text.split("--conf"))
    pairs = (word.partition("=") for word in words if word)
    return {name.strip(): value.strip() for name, _, value in pairs}


def here(configured: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """Where each Iceberg catalog of the configuration finds Glue and S3."""
    names = [name for name in configured if name.startswith(CATALOG) and "." not in name.removeprefix(CATALOG)]
    places = {
        "glue.endpoint": endpoint,
        "s3.endpoint": endpoint,
        "s3.path-style-access": "true",
        "client.region": REGION,
    }
    return {f"{name}.{key}": value for name in names for key, value in places.items()}
