"""The settings themselves, before any server is asked."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from streams.doctor.finding import Finding, failure, ok, warning
from streams.settings import Settings

#: Characters of a key that nobody guesses: 128 bits of letters and digits.
_SAFE_KEY = 22


def read_settings() -> tuple[Settings | None, list[Finding]]:
    """The settings from the environment; None and why where they are none."""
    try:
        settings = Settings()
    except ValidationError as error:
        found = []
        for each in error.errors():
            name = ".".join(map(str, each["loc"]))
            variable = name if name.isupper() else f"HUITOU_{name.upper()}"
            found.append(failure("settings", f"{variable}: {each['msg']}", f"correct {variable}"))
        return None, found
    return settings, [ok("settings", "every variable that is set can be read")]


def check_settings(settings: Settings) -> Iterator[Finding]:
    """What of the settings cannot work, or would be regretted."""
    yield _code_key(settings.code_key.get_secret_value())
    if settings.min_insync_replicas > settings.replication:
        yield failure(
            "settings.replication",
            f"HUITOU_MIN_INSYNC_REPLICAS is {settings.min_insync_replicas}, HUITOU_REPLICATION "
            f"{settings.replication}: nothing could ever be written",
            "raise HUITOU_REPLICATION, or lower HUITOU_MIN_INSYNC_REPLICAS",
        )
    elif settings.replication < 3:
        yield warning(
            "settings.replication",
            f"every record lies on {settings.replication} broker{'s' * (settings.replication > 1)}",
            "in production: HUITOU_REPLICATION=3 and HUITOU_MIN_INSYNC_REPLICAS=2",
        )
    else:
        yield ok("settings.replication", f"{settings.replication} replicas of every record")
    if settings.crash:
        yield failure(
            "settings.crash",
            f"HUITOU_CRASH is {settings.crash!r}: workers end where it says",
            "unset HUITOU_CRASH: it is for tests",
        )
    yield _folder(settings.data_dir)


def _code_key(key: str) -> Finding:
    check = "settings.code_key"
    make = "openssl rand -base64 32 makes one; all workers of the stack need the same"
    if not key:
        return failure(check, "HUITOU_CODE_KEY is not set: no worker starts", make)
    if len(key) < _SAFE_KEY:
        said = f"HUITOU_CODE_KEY has {len(key)} characters: codes of coupons could be guessed"
        return warning(check, said, make)
    return ok(check, "coupon codes have a key")


def _folder(path: Path) -> Finding:
    check = "settings.data_dir"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return failure(
            check, f"{error.filename}: {error.strerror}", "make it writable, or set HUITOU_DATA_DIR"
        )
    return ok(check, f"{path} can be written")
