"""Whether a compose file's services are safe to run, and are the ones that its aio.toml names."""

import pathlib
import re
from urllib.parse import urlsplit

import aio_config
import workload

# An engine opens its port when its model is loaded, at the first start downloaded too. What is not
# healthy by then fails `docker compose up --wait`; what is, is waited for no longer.
ENGINE_START_SECONDS = 60 * 60


def check(compose, folder):
    """What is wrong with it, one text each. `folder` is the file's own."""
    errors = []
    services = compose.get("services", {})
    if "aio" not in services:
        return ["there is no service 'aio'"]
    for name, service in services.items():
        _check_service(name, service, services, folder, errors)
    if not services["aio"].get("read_only"):
        errors.append("service aio: read_only must be true")
    _check_configuration(services, folder, errors)
    return errors


def _check_service(name, service, services, folder, errors):
    where = f"service {name}"
    if not workload.image_has_version(service.get("image", "")):
        errors.append(f"{where}: image '{service.get('image')}' has no fixed version")
    if service.get("privileged"):
        errors.append(f"{where}: must not be privileged")
    if "healthcheck" not in service:
        errors.append(f"{where}: healthcheck is missing")
    if service.get("restart") != "unless-stopped":
        errors.append(f"{where}: restart must be unless-stopped")
    if "no-new-privileges:true" not in service.get("security_opt", []):
        errors.append(f"{where}: security_opt lacks no-new-privileges:true")
    for port in service.get("ports", []):
        if not str(port).startswith("127.0.0.1:"):
            errors.append(f"{where}: port '{port}' is open to everybody; publish it on 127.0.0.1")
    for other, how in service.get("depends_on", {}).items():
        if other not in services:
            errors.append(f"{where}: there is no service '{other}' to depend on")
        elif how.get("condition") != "service_healthy":
            errors.append(f"{where}: must wait until {other} is healthy")
    for key, value in service.get("environment", {}).items():
        if "KEY" in key and not str(value).startswith("${"):
            errors.append(f"{where}: {key} is in the clear; take it from the environment")
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith(".") and not (pathlib.Path(folder) / source).exists():
            errors.append(f"{where}: there is no file '{source}'")


def _mounted(service, target):
    """The file of this tree that is mounted there, as the compose file names it."""
    for volume in service.get("volumes", []):
        source, inside = volume.split(":")[:2]
        if inside == target:
            return source
    return None


def _check_configuration(services, folder, errors):
    aio = services["aio"]
    source = _mounted(aio, "/etc/aio/aio.toml")
    if not source or not (pathlib.Path(folder) / source).exists():
        errors.append("service aio: no aio.toml is mounted at /etc/aio/aio.toml")
        return
    config = aio_config.parse((pathlib.Path(folder) / source).read_text(), source, errors)
    if config is None:
        return
    aio_config.check(config, source, errors)
    policy = config.get("routing", {}).get("policy", "")
    if not policy.startswith("/usr/share/aio/policy/") and not _mounted(aio, f"/etc/aio/{policy}"):
        errors.append(f"{source}: routing.policy: there is no '{policy}' in the container")
    for key, name in aio_config.variables(config):
        if name not in aio.get("environment", {}):
            errors.append(f"{source}: {key}: service aio has no variable '{name}'")
    for role, model in aio_config.models(config):
        for replica in model.get("replicas", []):
            _check_engine(services, role, model, urlsplit(replica["url"]), source, errors)


def _seconds(duration):
    """Of "1h", "90s", "1m30s"."""
    parts = re.findall(r"([0-9]+)([hms])", str(duration))
    return sum(int(count) * {"h": 3600, "m": 60, "s": 1}[unit] for count, unit in parts)


def _arguments(service):
    """The words of a command, "--name=value" as two."""
    words = [str(w) for w in service.get("command", [])]
    return [part for w in words for part in (w.split("=", 1) if w.startswith("--") else [w])]


def _value(arguments, name):
    return arguments[arguments.index(name) + 1] if name in arguments[:-1] else None


def _check_engine(services, role, model, url, source, errors):
    where = f"{source}: models.{role}"
    engine = services.get(url.hostname)
    if engine is None:
        errors.append(f"{where}: there is no service '{url.hostname}'")
        return
    if url.hostname not in services["aio"].get("depends_on", {}):
        errors.append(f"service aio: does not wait for {url.hostname}")
    start = engine.get("healthcheck", {}).get("start_period", "0s")
    if _seconds(start) < ENGINE_START_SECONDS:
        errors.append(f"service {url.hostname}: healthcheck.start_period is {start}, in which no engine "
                      f"may have its model; give it {ENGINE_START_SECONDS // 60}m")
    arguments = _arguments(engine)
    if _value(arguments, "--port") != str(url.port):
        errors.append(f"{where}: {url.hostname} does not listen on port {url.port}")
    served = model.get("served_name", model["name"])
    if served not in (_value(arguments, "--alias"), _value(arguments, "--served-model-name")):
        errors.append(f"{where}: {url.hostname} serves no '{served}'")
