"""The command line: ``runbook VERB``.

Exit codes: 0 green or amber, 1 a gate is red, 2 bad usage or input, 3 could not be judged or executed, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from lib.errors import RunbookError
from runbook.verbs.archive import adopt_verb, export_verb
from runbook.verbs.check import check
from runbook.verbs.drill import drill
from runbook.verbs.fetch import fetch
from runbook.verbs.gate import gate, status
from runbook.verbs.migrate import migrate_verb
from runbook.verbs.plan import plan
from runbook.verbs.predict import predict_verb
from runbook.verbs.report import report
from runbook.verbs.run import run
from runbook.verbs.sign import keys, revoke, sign, verify
from runbook.verbs.warehouse import ingest, sandbox
from runbook.verbs.watch import watch
from runbook.verbs.watchman import watchman

EPILOG = "Exit codes: 0 green or amber, 1 a gate is red, 2 bad usage or input, 3 could not be judged or executed, 130 interrupted."


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def cli() -> None:
    """Proves that a data backfill is really complete.

    \b
    First steps:
      runbook sandbox     make a warehouse to practise on, as the incident left it
      runbook gate 3      see what is missing
      runbook run         repair it, and keep the executed notebooks as evidence
      runbook status      see where every phase stands
    """


for verb in (
    sandbox,
    fetch,
    ingest,
    plan,
    run,
    migrate_verb,
    gate,
    check,
    status,
    watch,
    keys,
    sign,
    revoke,
    verify,
    report,
    export_verb,
    adopt_verb,
    predict_verb,
    watchman,
    drill,
):
    cli.add_command(verb)


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
        click.echo(f"error: {error.filename or 'a file'}: {error.strerror}", err=True)
        return 3
    return code if isinstance(code, int) else 0


def main() -> None:
    """Runs the command line and ends the process with the right exit code."""
    sys.exit(answer())
