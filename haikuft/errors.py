"""Every error of this package. Each message says what, where, and how to fix it.

HaikuftError
├── SettingsError         a parameter or hyperparameter that cannot be used
├── DataError             a data file that cannot be read or used
├── RecordError           the run's record disagrees with what was asked
├── CredentialsError      no credentials, or expired ones
├── AccessError           AWS knows us and refuses
├── NotFoundError         AWS or the disk has no such thing
├── ConflictError         the thing exists and is not ours, or is in use
├── ChargesRefusedError   stopped before something that costs money
├── JobFailedError        a customization job or throughput ended badly
├── WaitTimeoutError      a wait reached its deadline; what was waited for continues
├── ReplyError            a model's reply could not be had or read
├── RunFailedError        a headless run stopped in one of its notebooks
└── SandboxError          the sandbox cannot start, answer or stop
"""

import textwrap

WIDTH = 88  # characters of a line of plain text; JupyterLab breaks longer lines inside words


def wrap(text: str) -> str:
    """Break each line of a text into lines of at most `WIDTH` characters, between words only."""
    return "\n".join(
        textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )


class HaikuftError(Exception):
    """A mistake that the reader can fix; notebooks show its message without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback."""
        return wrap(f"{type(self).__name__}: {self}").splitlines()


class SettingsError(HaikuftError, ValueError):
    """A parameter or hyperparameter that cannot be used."""


class DataError(HaikuftError, ValueError):
    """A data file that cannot be read or used."""


class RecordError(HaikuftError):
    """The run's record disagrees with what was asked."""


class CredentialsError(HaikuftError):
    """No credentials, or expired ones."""


class AccessError(HaikuftError):
    """AWS knows us and refuses."""


class NotFoundError(HaikuftError, LookupError):
    """AWS or the disk has no such thing."""


class ConflictError(HaikuftError):
    """The thing exists and is not ours, or is in use."""


class ChargesRefusedError(HaikuftError):
    """Stopped before something that costs money."""


class JobFailedError(HaikuftError):
    """A customization job or throughput ended badly; the message holds AWS's reason."""


class WaitTimeoutError(HaikuftError, TimeoutError):
    """A wait reached its deadline; what was waited for continues."""


class ReplyError(HaikuftError):
    """A model's reply could not be had or read."""


class RunFailedError(HaikuftError):
    """A headless run stopped in one of its notebooks."""


class SandboxError(HaikuftError):
    """The sandbox cannot start, answer or stop."""
