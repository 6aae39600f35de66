"""What every command of the CLI shares: one context, one way to print, one way to fail. Knows no stage and no network.

run.py      the context of one call: folder, service, language, output form
command.py  turns a plain function into a command with the shared options
lazy.py     loads a group only when it is used
naming.py   states, kinds and roles in words
values.py   how money, epsilon and times are read and written
"""

from marketplace.console.command import command, group
from marketplace.console.run import Run, current

__all__ = ["Run", "command", "current", "group"]
