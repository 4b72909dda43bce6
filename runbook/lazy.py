"""A group of verbs, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """``verbs``: name of each verb and where it lives, ``module:attribute``, in the order of the help."""

    def __init__(self, *args: Any, verbs: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context | None = None) -> list[str]:
        """The names, without importing anything."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        """The verb, imported now; None where there is none of that name."""
        if cmd_name not in self.commands and cmd_name in self._verbs:
            module, attribute = self._verbs[cmd_name].split(":")
            self.add_command(getattr(import_module(module), attribute), cmd_name)
        return self.commands.get(cmd_name)

    def loaded(self) -> dict[str, click.Command]:
        """Every verb, imported: for the reference and the tests."""
        for name in self._verbs:
            self.get_command(None, name)
        return {name: self.commands[name] for name in self._verbs}
