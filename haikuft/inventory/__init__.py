"""What a run has made: list it, say what bills, delete it in the right order, read AWS back.

The record gives the names; AWS gives the truth. What AWS does not know is shown as gone, and what
we may not look at is shown as such, never as gone.
"""

from haikuft.inventory.deletion import delete_resources
from haikuft.inventory.resources import list_resources
from haikuft.inventory.tables import summarise, tabulate

__all__ = ["delete_resources", "list_resources", "summarise", "tabulate"]
