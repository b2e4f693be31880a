"""What an aio.toml in deploy/ must say, wherever it lies."""

import tomllib
from urllib.parse import urlsplit


def parse(text, where, errors):
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        errors.append(f"{where}: {error}")
        return None


def models(config):
    """(role, model) of both models."""
    return [(r, config.get("models", {}).get(r, {})) for r in ("small", "large")]


def engines(config):
    """(key of the configuration, URL) of every engine that is named."""
    found = []
    for role, model in models(config):
        for i, replica in enumerate(model.get("replicas", [])):
            found.append((f"models.{role}.replicas[{i}].url", replica.get("url", "")))
        if "discovery" in model:
            found.append((f"models.{role}.discovery.name", model["discovery"].get("name", "")))
    return found


def variables(config):
    """(key of the configuration, environment variable) of every secret that is named."""
    found = [(f"models.{role}.api_key_env", m["api_key_env"])
             for role, m in models(config) if "api_key_env" in m]
    for table, key in (("server", "api_key_env"), ("server", "limits_url_env"), ("decision_log", "url_env")):
        if key in config.get(table, {}):
            found.append((f"{table}.{key}", config[table][key]))
    return found


def check(config, where, errors):
    """What holds for every aio.toml, by itself."""
    if config.get("version") != 1:
        errors.append(f"{where}: version must be 1")
    for role, model in models(config):
        key = f"{where}: models.{role}"
        if not model.get("name"):
            errors.append(f"{key}.name is missing")
        remote = "engine" in model
        if remote == ("path" in model):
            errors.append(f"{key}: either engine or path must be given")
        if remote and ("replicas" in model) == ("discovery" in model):
            errors.append(f"{key}: either replicas or discovery must be given")
    for key, url in engines(config):
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            errors.append(f"{where}: {key}: '{url}' is no http:// or https:// URL")
    names = [m.get("name") for _, m in models(config)]
    if names[0] == names[1]:
        errors.append(f"{where}: both models are called '{names[0]}'")
    if not config.get("routing", {}).get("policy"):
        errors.append(f"{where}: routing.policy is missing")
    if not config.get("probe", {}).get("suffix"):
        errors.append(f"{where}: probe.suffix is missing")
