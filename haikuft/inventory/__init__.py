"""What a run has made: list it, say what bills, delete it in the right order, read AWS back.

The record gives the names; AWS gives the truth. What AWS does not know is shown as gone, and what
we may not look at is shown as such, never as gone.
"""

from haikuft.inventory.deletion import delete_resource, delete_resources
from haikuft.inventory.lost import find_lost, search_account
from haikuft.inventory.resources import (
    BUCKET,
    EXISTS,
    GONE,
    OBJECTS,
    OTHER,
    ROLE,
    UNKNOWN,
    Resource,
    list_kind,
    list_resources,
    sum_rates,
)
from haikuft.inventory.tables import describe_billing, summarise, tabulate
from haikuft.runs.lookup import DEPLOYMENT, JOB, MODEL, THROUGHPUT

__all__ = [
    "BUCKET",
    "DEPLOYMENT",
    "EXISTS",
    "GONE",
    "JOB",
    "MODEL",
    "OBJECTS",
    "OTHER",
    "ROLE",
    "THROUGHPUT",
    "UNKNOWN",
    "Resource",
    "delete_resource",
    "delete_resources",
    "describe_billing",
    "find_lost",
    "list_kind",
    "list_resources",
    "search_account",
    "sum_rates",
    "summarise",
    "tabulate",
]
