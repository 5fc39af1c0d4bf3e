"""Read YAML, and YAML files into frozen models; an unknown key is an error that names the file and the key."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from promptsales.errors import ConfigError


class Document(BaseModel):
    """A part of a file: frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Model = TypeVar("Model", bound=Document)


def parse_yaml(text: str | bytes, name: str) -> Any:
    """Return what a text of YAML holds; ``name`` says in an error message what the text is.

    Raises:
        ConfigError: when the text is not YAML; the message holds the name, and the line and column of the fault.
    """
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise ConfigError(f"{name}: {' '.join(str(error).split())}") from None


def read_yaml(path: Path, kind: str = "") -> Any:
    """Return what a YAML file holds; ``kind`` precedes its path in an error message.

    Raises:
        ConfigError: when the file is not YAML; the message holds the path, and the line and column of the fault.
    """
    return parse_yaml(path.read_bytes(), f"{kind} {path}".lstrip())


def read_document(path: Path, model: type[Model]) -> Model:
    """Read a file into a model.

    Raises:
        ConfigError: when the file is not valid; the message names the file, the key and the fault.
    """
    try:
        return model.model_validate(read_yaml(path))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        lines = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}" for fault in faults)
        raise ConfigError(f"{path}: {'; '.join(lines)}") from None
