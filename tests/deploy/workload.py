"""What a Deployment must say for its pods to be safe to run and to replace."""


def pod_of(deployment):
    return deployment["spec"]["template"]["spec"]


def labels_of(deployment):
    return deployment["spec"]["template"]["metadata"].get("labels", {})


def is_server(deployment):
    return labels_of(deployment).get("app.kubernetes.io/component") == "server"


def containers_of(deployment):
    pod = pod_of(deployment)
    return pod.get("initContainers", []) + pod["containers"]


def port_names(deployment):
    return {p["name"] for c in pod_of(deployment)["containers"] for p in c.get("ports", [])}


def environment(deployment):
    return {e["name"] for c in pod_of(deployment)["containers"] for e in c.get("env", [])}


def image_has_version(image):
    if "@sha256:" in image:
        return True
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag not in ("", "latest")


def check(deployment, where, errors):
    pod = pod_of(deployment)
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            errors.append(f"{where}: {key} must not be set")
    selector = deployment["spec"]["selector"].get("matchLabels", {})
    if not selector or not selector.items() <= labels_of(deployment).items():
        errors.append(f"{where}: spec.selector does not match the labels of its own pods")
    if pod.get("securityContext", {}).get("seccompProfile", {}).get("type") != "RuntimeDefault":
        errors.append(f"{where}: securityContext.seccompProfile must be RuntimeDefault")
    _check_volumes(deployment, where, errors)
    for container in containers_of(deployment):
        _check_container(container, f"{where}: container {container['name']}", errors)
    for container in pod["containers"]:
        _check_probes(container, f"{where}: container {container['name']}", errors)
        _check_end(pod, container, f"{where}: container {container['name']}", errors)
        _check_remote_code(container, f"{where}: container {container['name']}", errors)
    if is_server(deployment):
        _check_server(deployment, where, errors)


def _check_volumes(deployment, where, errors):
    volumes = {v["name"]: v for v in pod_of(deployment).get("volumes", [])}
    mounted = set()
    for container in containers_of(deployment):
        paths = [m["mountPath"] for m in container.get("volumeMounts", [])]
        if len(paths) != len(set(paths)):
            errors.append(f"{where}: two volumes are mounted at one path")
        for mount in container.get("volumeMounts", []):
            mounted.add(mount["name"])
            if mount["name"] not in volumes:
                errors.append(f"{where}: there is no volume '{mount['name']}' to mount")
    for name in volumes.keys() - mounted:
        errors.append(f"{where}: the volume '{name}' is mounted nowhere")
    for name, volume in volumes.items():
        if "hostPath" in volume:
            errors.append(f"{where}: the volume '{name}' is a folder of the node (hostPath)")


def _check_container(container, where, errors):
    if not image_has_version(container["image"]):
        errors.append(f"{where}: image '{container['image']}' has no fixed version")
    resources = container.get("resources", {})
    for kind, names in (("requests", ("cpu", "memory")), ("limits", ("memory",))):
        for name in names:
            if name not in resources.get(kind, {}):
                errors.append(f"{where}: resources.{kind}.{name} is missing")
    security = container.get("securityContext", {})
    if security.get("privileged"):
        errors.append(f"{where}: must not be privileged")
    if security.get("allowPrivilegeEscalation") is not False:
        errors.append(f"{where}: securityContext.allowPrivilegeEscalation must be false")
    names = [e["name"] for e in container.get("env", [])]
    if len(names) != len(set(names)):
        errors.append(f"{where}: an environment variable is set twice")


def _check_probes(container, where, errors):
    names = {p["name"] for p in container.get("ports", [])}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        port = container.get(probe, {}).get("httpGet", {}).get("port")
        if port is None:
            errors.append(f"{where}: {probe} is missing")
        elif port not in names:
            errors.append(f"{where}: {probe} asks the port '{port}', which the container has not")


def _check_end(pod, container, where, errors):
    """Requests stop coming before the process is told to end, and there is time for the rest."""
    command = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
    if len(command) != 2 or command[0] != "sleep":
        errors.append(f"{where}: lifecycle.preStop must sleep until nobody sends requests any more")
        return
    drain = sum(int(a.partition("=")[2]) for a in container.get("args", [])
                if a.startswith("--drain-seconds="))
    if pod.get("terminationGracePeriodSeconds", 30) <= int(command[1]) + drain:
        errors.append(f"{where}: terminationGracePeriodSeconds ends before preStop and drain do")


def _check_remote_code(container, where, errors):
    """Code of a model's repository is run only as it was when somebody read it."""
    args = container.get("args", [])
    if "--trust-remote-code" not in args or args[0].startswith("/"):
        return
    for name in ("--revision", "--code-revision", "--tokenizer-revision"):
        if not any(a.startswith(name + "=") and a != name + "=" for a in args):
            errors.append(f"{where}: --trust-remote-code without {name} runs whatever is there that day")


def _check_server(deployment, where, errors):
    pod = pod_of(deployment)
    security = pod.get("securityContext", {})
    if not security.get("runAsNonRoot") or not security.get("runAsUser"):
        errors.append(f"{where}: must run as a user that is not root, given by its number")
    for container in containers_of(deployment):
        context = container.get("securityContext", {})
        if not context.get("readOnlyRootFilesystem"):
            errors.append(f"{where}: container {container['name']}: its root must be read-only")
        if context.get("capabilities", {}).get("drop") != ["ALL"]:
            errors.append(f"{where}: container {container['name']}: must drop all capabilities")
