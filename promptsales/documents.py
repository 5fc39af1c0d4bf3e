"""YAML files into frozen models: an unknown key is an error that names its place."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from promptsales.errors import ConfigError


class Document(BaseModel):
    """A part of a file: frozen, and of known keys only."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Model = TypeVar("Model", bound=Document)


def read_document(path: Path, model: type[Model]) -> Model:
    """Read one file.

    Raises:
        ConfigError: naming the file, the place in it and what is wrong there.
    """
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        found = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}" for fault in faults)
        raise ConfigError(f"{path}: {found}") from None
