"""Whether Kubernetes objects that are applied together fit together."""

from urllib.parse import urlsplit

import aio_config
import workload

ENDPOINT_SLICES = {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"],
                   "verbs": ["list", "watch"]}


class Manifests:
    """The objects of one file, by kind and name."""

    def __init__(self, objects):
        self.objects = objects
        self.errors = []

    def of(self, kind):
        return [o for o in self.objects if o.get("kind") == kind]

    def find(self, kind, name):
        return next((o for o in self.of(kind) if o["metadata"]["name"] == name), None)

    def error(self, thing, text):
        self.errors.append(f"{thing['kind']} {thing['metadata']['name']}: {text}")


def check(objects):
    """What is wrong with them, one text each."""
    all_of = Manifests(objects)
    if not _have_identities(all_of):
        return all_of.errors
    for deployment in all_of.of("Deployment"):
        workload.check(deployment, f"Deployment {deployment['metadata']['name']}", all_of.errors)
        _check_references(all_of, deployment)
    for step in (_check_overlap, _check_services, _check_selecting, _check_autoscaling,
                 _check_monitors, _check_rights, _check_configurations):
        step(all_of)
    return all_of.errors


def secret_keys(objects):
    """(Secret, key) of every key that the objects expect; "" where the whole Secret is meant."""
    found = set()

    def look(value):
        if isinstance(value, dict):
            for name, child in value.items():
                if name in ("secretKeyRef", "credentials") or (
                        name == "secret" and isinstance(child, dict) and "key" in child):
                    found.add((child["name"], child["key"]))
                elif name == "secret" and isinstance(child, dict) and "secretName" in child:
                    keys = [i["key"] for i in child.get("items", [])] or [""]
                    found.update((child["secretName"], key) for key in keys)
                else:
                    look(child)
        elif isinstance(value, list):
            for child in value:
                look(child)

    look(objects)
    return found


def _have_identities(all_of):
    seen = set()
    for thing in all_of.objects:
        meta = thing.get("metadata") or {}
        if not all((thing.get("apiVersion"), thing.get("kind"), meta.get("name"))):
            all_of.errors.append(f"an object lacks apiVersion, kind or metadata.name: {str(thing)[:80]}")
            return False
        if not meta.get("namespace"):
            all_of.error(thing, "metadata.namespace is missing")
        if thing["kind"] == "Secret":
            all_of.error(thing, "secrets do not belong into this tree")
        identity = (thing["kind"], meta["name"])
        if identity in seen:
            all_of.error(thing, "is there twice")
        seen.add(identity)
    return True


def _selected(all_of, selector):
    """The Deployments whose pods a selector of labels selects."""
    wanted = selector.get("matchLabels", {})
    return [d for d in all_of.of("Deployment") if wanted.items() <= workload.labels_of(d).items()]


def _check_references(all_of, deployment):
    pod = workload.pod_of(deployment)
    account = pod.get("serviceAccountName")
    if account and not all_of.find("ServiceAccount", account):
        all_of.error(deployment, f"there is no ServiceAccount '{account}'")
    for volume in pod.get("volumes", []):
        name = volume.get("configMap", {}).get("name")
        if name and not all_of.find("ConfigMap", name):
            all_of.error(deployment, f"there is no ConfigMap '{name}'")


def _check_overlap(all_of):
    for deployment in all_of.of("Deployment"):
        if len(_selected(all_of, deployment["spec"]["selector"])) > 1:
            all_of.error(deployment, "selects pods of another Deployment too")


def _check_services(all_of):
    for service in all_of.of("Service"):
        pods = _selected(all_of, {"matchLabels": service["spec"].get("selector", {})})
        if len(pods) != 1:
            all_of.error(service, f"selects the pods of {len(pods)} Deployments, not of one")
            continue
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in workload.port_names(pods[0]):
                all_of.error(service, f"the pods have no port '{port['targetPort']}'")


def _check_selecting(all_of):
    for thing in all_of.of("PodDisruptionBudget"):
        if not _selected(all_of, thing["spec"]["selector"]):
            all_of.error(thing, "selects no pod")
    for policy in all_of.of("NetworkPolicy"):
        pods = _selected(all_of, policy["spec"]["podSelector"])
        if not pods:
            all_of.error(policy, "selects no pod")
        for rule in policy["spec"].get("ingress", []):
            if not rule.get("from"):
                all_of.error(policy, "lets everybody in")
            for port in rule.get("ports", []):
                if not all(port["port"] in workload.port_names(p) for p in pods):
                    all_of.error(policy, f"the pods have no port '{port['port']}'")
    for deployment in all_of.of("Deployment"):
        for spread in workload.pod_of(deployment).get("topologySpreadConstraints", []):
            if _selected(all_of, spread["labelSelector"]) != [deployment]:
                all_of.error(deployment, "is spread by labels that are not its own")


def _check_autoscaling(all_of):
    for scaler in all_of.of("HorizontalPodAutoscaler"):
        spec = scaler["spec"]
        target = all_of.find("Deployment", spec["scaleTargetRef"]["name"])
        if not target:
            all_of.error(scaler, "its Deployment is not there")
        elif "replicas" in target["spec"]:
            all_of.error(target, "spec.replicas would undo what the autoscaler decides")
        if spec["minReplicas"] > spec["maxReplicas"]:
            all_of.error(scaler, "minReplicas is above maxReplicas")


def _check_monitors(all_of):
    for monitor in all_of.of("ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        services = [s for s in all_of.of("Service") if wanted <= s["metadata"]["labels"].items()]
        if not services:
            all_of.error(monitor, "selects no Service")
        for endpoint in monitor["spec"]["endpoints"]:
            for service in services:
                if endpoint["port"] not in [p["name"] for p in service["spec"]["ports"]]:
                    all_of.error(monitor, f"the Service has no port '{endpoint['port']}'")


def _check_rights(all_of):
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        for thing in all_of.of(kind):
            all_of.error(thing, "rights are for one namespace")
    for role in all_of.of("Role"):
        if role["rules"] != [ENDPOINT_SLICES]:
            all_of.error(role, "may do more than list and watch endpointslices")
    for binding in all_of.of("RoleBinding"):
        if not all_of.find("Role", binding["roleRef"]["name"]):
            all_of.error(binding, "its Role is not there")
        for subject in binding["subjects"]:
            if not all_of.find("ServiceAccount", subject["name"]):
                all_of.error(binding, f"there is no ServiceAccount '{subject['name']}'")


def _check_configurations(all_of):
    for config_map in all_of.of("ConfigMap"):
        where = f"ConfigMap {config_map['metadata']['name']}"
        files = {name: aio_config.parse(text, f"{where}: {name}", all_of.errors)
                 for name, text in config_map["data"].items() if name.endswith(".toml")}
        config = files.get("aio.toml")
        if config:
            aio_config.check(config, f"{where}: aio.toml", all_of.errors)
            policy = config.get("routing", {}).get("policy")
            if policy not in files:
                all_of.error(config_map, f"aio.toml: there is no file '{policy}' beside it")
            _check_server_fits(all_of, config_map, config)


def _check_server_fits(all_of, config_map, config):
    server = next((d for d in all_of.of("Deployment") if workload.is_server(d)), None)
    if not server:
        all_of.error(config_map, "no Deployment reads it")
        return
    container = workload.pod_of(server)["containers"][0]
    if config["server"]["port"] not in [p["containerPort"] for p in container["ports"]]:
        all_of.error(config_map, "aio.toml: server.port is none of the container's")
    if config["server"]["host"] != "0.0.0.0":
        all_of.error(config_map, "aio.toml: server.host: only 0.0.0.0 is reached from outside the pod")
    for key, name in aio_config.variables(config):
        if name not in workload.environment(server):
            all_of.error(config_map, f"aio.toml: {key}: the container has no variable '{name}'")
    paths = [m["mountPath"] for m in container["volumeMounts"]]
    tls = config["server"].get("tls", {})
    for path in filter(None, (config["server"].get("keys_file"), tls.get("certificate"), tls.get("key"))):
        if not any(path.startswith(p + "/") for p in paths):
            all_of.error(config_map, f"aio.toml: nothing is mounted where '{path}' is")
    _check_discovery(all_of, config_map, config, server)


def _check_discovery(all_of, config_map, config, server):
    for role, model in aio_config.models(config):
        discovery = model.get("discovery")
        if not discovery:
            continue
        url = urlsplit(discovery["name"])
        service = all_of.find("Service", url.hostname.split(".")[0])
        if not service or url.hostname.split(".")[1] != service["metadata"]["namespace"]:
            all_of.error(config_map, f"aio.toml: models.{role}.discovery: no Service for '{url.hostname}'")
            continue
        if url.port not in [p["port"] for p in service["spec"]["ports"]]:
            all_of.error(config_map, f"aio.toml: models.{role}.discovery: the Service has no port {url.port}")
        if discovery["kind"] == "dns" and service["spec"].get("clusterIP") != "None":
            all_of.error(service, "only a headless Service's name has the addresses of its pods")
        _check_served(all_of, config_map, role, model, service)
        if discovery["kind"] == "kubernetes" and not (
                all_of.of("RoleBinding") and workload.pod_of(server)["automountServiceAccountToken"]):
            all_of.error(config_map, f"aio.toml: models.{role}.discovery: the pod may not ask for endpointslices")


def _check_served(all_of, config_map, role, model, service):
    """A-IO calls the model what the engine does, and counts on no longer a context."""
    engine = _selected(all_of, {"matchLabels": service["spec"]["selector"]})[0]
    args = workload.pod_of(engine)["containers"][0]["args"]
    served = model.get("served_name", model["name"])
    if f"--served-model-name={served}" not in args:
        all_of.error(config_map, f"aio.toml: models.{role}: the engine serves no '{served}'")
    if "context_length" in model and f"--max-model-len={model['context_length']}" not in args:
        all_of.error(config_map, f"aio.toml: models.{role}.context_length is not the engine's")
