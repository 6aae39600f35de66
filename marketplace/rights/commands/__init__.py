"""`marketplace rights`: registrations and certificates (`assets`), titles, their parts and pledges (`titles`), revenue
shares and theirs (`shares`).
"""

from marketplace.rights.commands import assets, shares, titles
from marketplace.rights.commands.group import app

__all__ = ["app", "assets", "shares", "titles"]
