"""The command line: ``runbook VERB``.

Exit codes: 0 green or amber, 1 a gate is red, 2 bad usage or input, 3 could not be judged or executed, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from lib.errors import RunbookError
from lib.garbage import look_seldom
from lib.places import settle_environment
from runbook.lazy import LazyGroup

# In the order of the help. A verb's module is imported when the verb is asked for: `status` pays for no training.
TRACEBACK = "RUNBOOK_TRACEBACK"  # set, it shows where an error came from that nobody foresaw
VERBS = {
    "sandbox": "runbook.verbs.warehouse:sandbox",
    "fetch": "runbook.verbs.fetch:fetch",
    "ingest": "runbook.verbs.warehouse:ingest",
    "plan": "runbook.verbs.plan:plan",
    "run": "runbook.verbs.run:run",
    "migrate": "runbook.verbs.migrate:migrate_verb",
    "gate": "runbook.verbs.gate:gate",
    "check": "runbook.verbs.check:check",
    "status": "runbook.verbs.gate:status",
    "watch": "runbook.verbs.watch:watch",
    "keys": "runbook.verbs.sign:keys",
    "sign": "runbook.verbs.sign:sign",
    "revoke": "runbook.verbs.sign:revoke",
    "verify": "runbook.verbs.sign:verify",
    "report": "runbook.verbs.report:report",
    "export": "runbook.verbs.archive:export_verb",
    "adopt": "runbook.verbs.archive:adopt_verb",
    "predict": "runbook.verbs.predict:predict_verb",
    "watchman": "runbook.verbs.watchman:watchman",
    "drill": "runbook.verbs.drill:drill",
}
EPILOG = "Exit codes: 0 green or amber, 1 a gate is red, 2 bad usage or input, 3 could not be judged or executed, 130 interrupted."


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
def cli() -> None:
    """Proves that a data backfill is really complete.

    \b
    First steps:
      runbook sandbox     make a warehouse to practise on, as the incident left it
      runbook gate 3      see what is missing
      runbook run         repair it, and keep the executed notebooks as evidence
      runbook status      see where every phase stands
    """
    settle_environment()


def answer(words: Sequence[str] | None = None) -> int:
    """Runs ``runbook *words*`` (else what this process was called with); errors are sentences, never tracebacks."""
    try:
        code = cli.main(words, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):  # click turns the second into the first
        click.echo(
            "interrupted: what was published stays published, what was not is as before; run again to go on", err=True
        )
        return 130
    except RunbookError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except OSError as error:
        click.echo(f"error: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        return 3
    except Exception as error:
        return _unforeseen(error)
    return code if isinstance(code, int) else 0


def _unforeseen(error: Exception) -> int:
    """Says what nobody foresaw in one sentence: nothing was judged, so it is never the exit code of a red gate."""
    from runbook.secrets import redacted

    said = redacted(" ".join(str(error).split()) or "no message")
    how = f"nobody foresaw this: run it again with {TRACEBACK}=1 in the environment to see where it comes from"
    click.echo(f"error: {type(error).__name__}: {said}; {how}", err=True)
    if os.environ.get(TRACEBACK):
        click.echo(redacted("".join(traceback.format_exception(error))), err=True)
    return RunbookError.exit_code


def main() -> None:
    """Runs the command line and ends the process with the right exit code."""
    look_seldom()
    sys.exit(answer())
