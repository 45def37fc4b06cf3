"""The JSON schema of a Pydantic model, in the words that providers understand."""

from typing import Any

from pydantic import BaseModel

# Of the rest, providers refuse some and ignore others: the answer is held to it by Pydantic.
_UNDERSTOOD = ("type", "description", "enum", "items", "properties", "anyOf")


def wire_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Without references, every property required and none beside them, as OpenAI's strict mode
    wants it. What may be absent is `anyOf` with null."""
    whole = model.model_json_schema()
    return _plain(whole, whole.get("$defs", {}))


def _plain(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if reference := schema.get("$ref"):
        return _plain(definitions[reference.rpartition("/")[2]], definitions)
    if "const" in schema:
        return {"type": "string", "enum": [schema["const"]]}
    plain = {name: schema[name] for name in _UNDERSTOOD if name in schema}
    if "items" in plain:
        plain["items"] = _plain(plain["items"], definitions)
    if "anyOf" in plain:
        plain["anyOf"] = [_plain(each, definitions) for each in plain["anyOf"]]
    if "properties" in plain:
        properties = plain["properties"].items()
        plain["properties"] = {name: _plain(each, definitions) for name, each in properties}
        plain["required"] = list(plain["properties"])
        plain["additionalProperties"] = False
    return plain
