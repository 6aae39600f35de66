"""`marketplace rights`: registrations and certificates (`assets`), titles, their parts and pledges (`titles`)."""

from marketplace.rights.commands import assets, titles
from marketplace.rights.commands.group import app

__all__ = ["app", "assets", "titles"]
