"""Executing notebooks side by side, each in a process and a kernel of its own, and judging what they left.

A notebook that raised nothing has proven nothing: every outcome comes from `runbook.archive.verify`.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from lib.errors import BadInput, CannotJudge
from lib.files import READ_ONLY
from lib.warehouse.threads import share
from runbook.archive import State, Verified, judged, template_faults
from runbook.notebook import read
from runbook.notebook_process import working_copy
from runbook.parameters import checked

ROOT = Path(__file__).resolve().parents[1]
_LONGEST_TEMPORARY_FOLDER = 60
# What the supervisor imports would start threads, and only one with a single thread may fork.
_NO_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}


@dataclass(frozen=True)
class Job:
    """One notebook to execute: `output` must not exist yet; `gates` None means those its cells tagged `gate` name."""

    step: str
    template: Path
    output: Path
    parameters: dict[str, Any]
    gates: frozenset[str] | None
    timeout_seconds: int
    env: dict[str, str]
    log: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a job. `reason` is empty when it is proven; `seconds` is 0 when it never started."""

    step: str
    output: Path
    state: State
    reason: str
    verdicts: list[dict[str, Any]]
    seconds: float
    started: datetime
    stderr_warnings: int


@dataclass(frozen=True)
class Event:
    """Something to show: a job started, is in its `cell`-th of `cells` code cells, or finished with `outcome`."""

    kind: Literal["started", "cell", "finished"]
    step: str
    cell: int = 0
    cells: int = 0
    outcome: Outcome | None = None


class Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM came; every notebook was stopped, and `outcomes` says how far each one was."""

    def __init__(self, signum: int, outcomes: list[Outcome]) -> None:
        super().__init__(f"interrupted ({signal.Signals(signum).name})")
        self.signum = signum
        self.outcomes = outcomes


def execute_group(jobs: Sequence[Job], workers: int, on_event: Callable[[Event], None]) -> list[Outcome]:
    """Run the jobs' notebooks, at most `workers` side by side, and verify each archive; outcomes in the jobs' order.

    `on_event` is called in this thread. Raises BadInput before anything starts when a job's parameters do not fit
    or its output is already there, and Interrupted (a KeyboardInterrupt) after SIGINT or SIGTERM.
    """
    trials = [_prepared(job) for job in jobs]
    for trial in trials:
        if trial.outcome is None:
            trial.job.output.parent.mkdir(parents=True, exist_ok=True)
            trial.job.log.parent.mkdir(parents=True, exist_ok=True)
        else:
            on_event(Event("finished", trial.job.step, outcome=trial.outcome))
    waiting = [number for number, trial in enumerate(trials) if trial.outcome is None]
    cores = share(min(workers, len(waiting)))
    tasks = [_task(number, trials[number], cores) for number in waiting]
    with _LOCK:
        server = _Server.current()
        with server.interruptible(), server.killed_on_error():
            for message in server.run(tasks, workers):
                trials[message["task"]].take(message, on_event)
        for trial in trials:
            trial.give_up(server.last_words, on_event)
    outcomes = [trial.outcome for trial in trials if trial.outcome]
    if server.interrupted:
        server.close()
        raise Interrupted(server.interrupted, outcomes)
    return outcomes


def warm_up() -> None:
    """Lets the supervisor import what notebooks need, while the caller does something else."""
    with _LOCK:
        _Server.current()


def _prepared(job: Job) -> _Trial:
    if job.output.exists():
        raise BadInput(f"{job.output} is already there; a finished notebook is never overwritten, choose a new name.")
    trial = _Trial(job, checked(job.template, job.parameters))
    faults = template_faults(job.template)
    if faults:
        trial.outcome = trial.unproven("; ".join(faults))
    else:
        trial.cells = sum(cell.is_code for cell in read(job.template)) + bool(trial.parameters)
    return trial


def _task(number: int, trial: _Trial, cores: dict[str, str]) -> dict[str, Any]:
    job = trial.job
    return {
        "task": number,
        "template": str(job.template.resolve()),
        "output": str(job.output.resolve()),
        "log": str(job.log.resolve()),
        "parameters": trial.parameters,
        "timeout_seconds": job.timeout_seconds,
        "cwd": str(ROOT),
        "env": _environment(cores | job.env),
    }


def _environment(extra: dict[str, str]) -> dict[str, str]:
    """This process's environment and `extra`; without PYTHONOPTIMIZE, which turns every assert into nothing.

    Training's threads sleep while they wait for each other: where they spin, a busy machine takes five times as long.
    """
    env = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **extra}
    env.pop("PYTHONOPTIMIZE", None)
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
    return env


@dataclass
class _Trial:
    """A job on its way: what the supervisor has told of it so far."""

    job: Job
    parameters: dict[str, Any]
    cells: int = 0
    pid: int = 0
    trouble: str = ""
    seconds: float = 0.0
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    outcome: Outcome | None = None

    def take(self, message: dict[str, Any], on_event: Callable[[Event], None]) -> None:
        """Take note of one message of the supervisor or of the notebook's process, and tell of it."""
        match message["kind"]:
            case "started":
                self.pid, self.started = message["pid"], datetime.fromtimestamp(message["at"], UTC)
                on_event(Event("started", self.job.step, 0, self.cells))
            case "cell":
                on_event(Event("cell", self.job.step, message["cell"], self.cells))
            case "trouble":
                self.trouble = message["text"]
            case "ended":
                self.seconds = message["seconds"]
                self.finish(_why(message["why"], self.trouble, message["status"]), on_event)

    def finish(self, why: str, on_event: Callable[[Event], None]) -> None:
        """Judge the archive; `why` is what is already known to have gone wrong."""
        keep_partial(self.job.output, working_copy(self.job.output, self.pid))
        self.outcome = self.unproven(why) if why else self._verified()
        on_event(Event("finished", self.job.step, self.cells, self.cells, self.outcome))

    def give_up(self, why: str, on_event: Callable[[Event], None]) -> None:
        """Close a job the supervisor never reported the end of."""
        if self.outcome is None:
            self.finish(why if self.pid else f"never started: {why}", on_event)

    def unproven(self, why: str) -> Outcome:
        """The outcome of a job that went wrong before there was an archive to judge."""
        return self._outcome(Verified("not proven", [why]))

    def _verified(self) -> Outcome:
        job = self.job
        return self._outcome(judged(job.output, job.template, self.parameters, job.gates, job.log))

    def _outcome(self, verified: Verified) -> Outcome:
        return Outcome(
            step=self.job.step,
            output=self.job.output,
            state=verified.state,
            reason="; ".join(verified.reasons),
            verdicts=verified.verdicts,
            seconds=self.seconds,
            started=self.started,
            stderr_warnings=verified.stderr_warnings,
        )


def _why(why: str, trouble: str, status: int) -> str:
    """The first cause of a process's bad end; empty for a good one."""
    if why or trouble or status == 0:
        return why or trouble
    how = f"was killed ({signal.Signals(-status).name})" if status < 0 else f"ended with status {status}"
    return f"the notebook's process {how}"


def keep_partial(output: Path, working: Path) -> None:
    """Keep what an unfinished notebook saved, under a name that says so; drop it when it is no notebook."""
    with suppress(FileNotFoundError):
        try:
            read(working)
            working.chmod(READ_ONLY)
            working.replace(output.with_name(f"{output.stem}.partial.ipynb"))
        except BadInput:
            working.unlink()


def _private_folder() -> str:
    """A new folder only this user can enter, with a name short enough for a Unix socket's path of 107 bytes."""
    short = len(tempfile.gettempdir()) <= _LONGEST_TEMPORARY_FOLDER
    return tempfile.mkdtemp(prefix="rb-", dir=None if short else "/tmp")


class _Server:
    """The supervising process: started when first needed, kept for the groups to come."""

    _current: _Server | None = None

    def __init__(self) -> None:
        self._private = _private_folder()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runbook.supervise", self._private],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_environment(_NO_THREADS),
            # Ctrl-C in a terminal reaches this program only, which then tells the supervisor in order.
            start_new_session=True,
        )
        self.interrupted = 0
        self.last_words = ""
        self._used = False

    @classmethod
    def current(cls) -> _Server:
        """The supervisor that is running, or a new one."""
        if cls._current and cls._current._process.poll() is not None:
            cls._current.close()
        if cls._current is None:
            cls._current = cls()
            atexit.register(cls._current.close)
        return cls._current

    def run(self, tasks: list[dict[str, Any]], workers: int) -> Iterator[dict[str, Any]]:
        """Hand over a group and give back what is told of each task, until no process of the group is left."""
        if not tasks:
            return
        self._used, self.last_words = True, "the supervising process was killed"
        try:
            self._input.write(json.dumps({"tasks": tasks, "workers": workers}) + "\n")
            self._input.flush()
        except BrokenPipeError as error:
            raise CannotJudge("The supervising process ended; try again, and look for a lack of memory.") from error
        for line in self._output:
            message = json.loads(line)
            if message["kind"] == "done":
                self.last_words = message["why"]
                return
            yield message

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Pass SIGINT and SIGTERM on to the supervisor, so that every notebook ends in order; a second one kills."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def killed_on_error(self) -> Iterator[None]:
        """When the caller's own code raises amid a group, end the group too: nobody would hear of it."""
        try:
            yield
        except BaseException:
            self._process.kill()
            self.close()
            raise

    def _pass_on(self, signum: int, frame: FrameType | None) -> None:
        self._process.send_signal(signal.SIGKILL if self.interrupted else signum)
        self.interrupted = signum

    def close(self) -> None:
        """Let the supervisor end, which it does when it has nothing more to read, and wait for its notebooks."""
        atexit.unregister(self.close)
        if not self._used:  # it may be importing still, and nobody waits for that
            self._process.kill()
        with suppress(BrokenPipeError):
            self._input.close()
        # Each notebook's process holds the other end of this pipe: its end means that none is left.
        self._output.read()
        self._output.close()
        self._process.wait()
        shutil.rmtree(self._private, ignore_errors=True)
        type(self)._current = None

    @property
    def _input(self) -> Any:
        return self._process.stdin

    @property
    def _output(self) -> Any:
        return self._process.stdout


_LOCK = threading.Lock()
