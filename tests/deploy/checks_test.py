"""The checks of deploy/ find what they are there to find: each test breaks one thing."""

import copy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

import yaml

import compose
import manifests
import strict_yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = pathlib.Path(os.environ["DEPLOY_TOOLS"])
GOOD = strict_yaml.load_all((ROOT / "deploy/kubernetes/vllm.yaml").read_text())


class Broken:
    """A copy of good manifests, to be broken."""

    def __init__(self):
        self.objects = copy.deepcopy(GOOD)

    def find(self, kind, name="aio"):
        return next(o for o in self.objects if o["kind"] == kind and o["metadata"]["name"] == name)

    def pod(self, name="aio"):
        return self.find("Deployment", name)["spec"]["template"]["spec"]

    def container(self, name="aio"):
        return self.pod(name)["containers"][0]

    def remove(self, kind, name="aio"):
        self.objects.remove(self.find(kind, name))

    def rewrite(self, old, new):
        data = self.find("ConfigMap")["data"]
        assert old in data["aio.toml"], old
        data["aio.toml"] = data["aio.toml"].replace(old, new)


def _drop(mapping, *keys):
    for key in keys[:-1]:
        mapping = mapping[key]
    del mapping[keys[-1]]


# How to break it, and what must be said then.
BREAKS = {
    "no fixed version": lambda b: b.container().update(image="example.org/aio:latest"),
    "has no fixed version": lambda b: b.container("aio-large").update(image="vllm/vllm-openai"),
    "resources.requests.cpu is missing": lambda b: _drop(b.container(), "resources", "requests", "cpu"),
    "resources.limits.memory is missing": lambda b: _drop(b.container(), "resources", "limits"),
    "readinessProbe is missing": lambda b: _drop(b.container(), "readinessProbe"),
    "startupProbe is missing": lambda b: _drop(b.container("aio-small"), "startupProbe"),
    "livenessProbe asks the port 'web'": lambda b: b.container()["livenessProbe"]["httpGet"].update(port="web"),
    "seccompProfile must be RuntimeDefault":
        lambda b: _drop(b.pod("aio-large"), "securityContext", "seccompProfile"),
    "--trust-remote-code without --revision":
        lambda b: b.container("aio-large")["args"].append("--trust-remote-code"),
    "--trust-remote-code without --code-revision":
        lambda b: b.container("aio-large")["args"].extend(["--trust-remote-code", "--revision=abc"]),
    "must not be privileged": lambda b: b.container()["securityContext"].update(privileged=True),
    "allowPrivilegeEscalation must be false":
        lambda b: _drop(b.container("aio-small"), "securityContext", "allowPrivilegeEscalation"),
    "a user that is not root": lambda b: b.pod()["securityContext"].update(runAsUser=0),
    "its root must be read-only": lambda b: _drop(b.container(), "securityContext", "readOnlyRootFilesystem"),
    "must drop all capabilities": lambda b: b.container()["securityContext"].update(capabilities={"drop": ["NET_RAW"]}),
    "hostNetwork must not be set": lambda b: b.pod().update(hostNetwork=True),
    "is a folder of the node": lambda b: b.pod()["volumes"][2].update(hostPath={"path": "/tmp"}),
    "there is no volume 'cache'":
        lambda b: b.container()["volumeMounts"].append({"name": "cache", "mountPath": "/cache"}),
    "is mounted nowhere": lambda b: b.container()["volumeMounts"].pop(),
    "terminationGracePeriodSeconds ends before": lambda b: b.pod().update(terminationGracePeriodSeconds=100),
    "preStop must sleep": lambda b: _drop(b.container("aio-large"), "lifecycle"),
    "does not match the labels of its own pods":
        lambda b: b.find("Deployment")["spec"]["selector"]["matchLabels"].update(tier="front"),
    "selects pods of another Deployment too":
        lambda b: _drop(b.find("Deployment", "aio-small"), "spec", "selector", "matchLabels", "aio/role"),
    "selects the pods of 0 Deployments": lambda b: b.find("Service")["spec"]["selector"].update(tier="front"),
    "selects the pods of 2 Deployments": lambda b: _drop(b.find("Service", "aio-small"), "spec", "selector", "aio/role"),
    "the pods have no port 'web'": lambda b: b.find("Service")["spec"]["ports"][0].update(targetPort="web"),
    "selects no pod": lambda b: b.find("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].update(a="b"),
    "lets everybody in": lambda b: b.find("NetworkPolicy")["spec"]["ingress"][0].update({"from": []}),
    "the autoscaler decides": lambda b: b.find("Deployment")["spec"].update(replicas=2),
    "its Deployment is not there":
        lambda b: b.find("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"].update(name="server"),
    "selects no Service": lambda b: b.find("ServiceMonitor")["spec"]["selector"]["matchLabels"].update(a="b"),
    "the Service has no port 'metrics'": lambda b: b.find("ServiceMonitor")["spec"]["endpoints"][0].update(port="metrics"),
    "may do more than": lambda b: b.find("Role")["rules"][0]["resources"].append("secrets"),
    "its Role is not there": lambda b: b.remove("Role"),
    "there is no ServiceAccount 'aio'": lambda b: b.remove("ServiceAccount"),
    "there is no ConfigMap 'aio'": lambda b: b.remove("ConfigMap"),
    "is there twice": lambda b: b.objects.append(copy.deepcopy(b.find("Service"))),
    "metadata.namespace is missing": lambda b: _drop(b.find("Service"), "metadata", "namespace"),
    "secrets do not belong": lambda b: b.objects.append(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "k", "namespace": "aio"}}),
    "aio.toml: Invalid value": lambda b: b.rewrite('name = "qwen-1.5b"', "name = qwen"),
    "there is no file 'other.toml' beside it": lambda b: b.rewrite("policy.toml", "other.toml"),
    "server.port is none of the container's": lambda b: b.rewrite("port = 8080", "port = 8081"),
    "only 0.0.0.0 is reached": lambda b: b.rewrite("0.0.0.0", "127.0.0.1"),
    "no Service for 'vllm-large.aio'": lambda b: b.rewrite("aio-large.aio", "vllm-large.aio"),
    "the Service has no port 9000": lambda b: b.rewrite("aio-large.aio:8000", "aio-large.aio:9000"),
    "may not ask for endpointslices": lambda b: b.pod().update(automountServiceAccountToken=False),
    "the engine serves no 'qwen-72b'": lambda b: b.rewrite("qwen-7b", "qwen-72b"),
    "context_length is not the engine's": lambda b: b.rewrite("context_length = 32768", "context_length = 131072"),
    "either engine or path": lambda b: b.rewrite('engine = "vllm"', ""),
    "the container has no variable 'KEY'":
        lambda b: b.rewrite('engine = "vllm"', 'engine = "vllm"\napi_key_env = "KEY"'),
    "server.limits_url_env: the container has no variable 'AIO_LIMITS_URL'":
        lambda b: b.rewrite("[server]", '[server]\nlimits_url_env = "AIO_LIMITS_URL"'),
    "may do more than list and watch": lambda b: b.find("Role")["rules"][0]["verbs"].append("get"),
    "nothing is mounted where": lambda b: b.rewrite("[server]", '[server]\nkeys_file = "/run/aio/keys.toml"'),
    "only a headless Service's name": lambda b: (
        b.rewrite('kind = "kubernetes"', 'kind = "dns"'), _drop(b.find("Service", "aio-small"), "spec", "clusterIP")),
}


class Manifests(unittest.TestCase):
    def test_what_is_right_passes(self):
        self.assertEqual(manifests.check(copy.deepcopy(GOOD)), [])

    def test_what_is_broken_is_found(self):
        for said, break_it in BREAKS.items():
            with self.subTest(said):
                broken = Broken()
                break_it(broken)
                errors = manifests.check(broken.objects)
                self.assertTrue(any(said in e for e in errors), errors)

    def test_secrets_that_are_expected_are_listed(self):
        broken = Broken()
        broken.pod()["volumes"].append({"name": "t", "secret": {"secretName": "tls"}})
        self.assertEqual(manifests.secret_keys(broken.objects), {("aio-keys", "api-key"), ("tls", "")})

    def test_a_key_given_twice_is_an_error(self):
        with self.assertRaisesRegex(yaml.YAMLError, "'a' is given twice"):
            strict_yaml.load_all("b: {a: 1, a: 2}")


class Schemas(unittest.TestCase):
    def check(self, objects):
        run = subprocess.run(["node", "schema.mjs"], cwd=TOOLS, input=json.dumps(objects),
                             capture_output=True, text=True, check=True)
        return run.stdout

    def test_what_is_right_passes(self):
        self.assertEqual(self.check(GOOD), "")

    def test_a_field_that_kubernetes_does_not_know(self):
        broken = Broken()
        broken.container()["readinesProbe"] = broken.container().pop("readinessProbe")
        self.assertIn("readinesProbe: Kubernetes knows no such field", self.check(broken.objects))

    def test_a_value_of_another_type(self):
        broken = Broken()
        broken.find("Deployment", "aio-small")["spec"]["replicas"] = "one"
        self.assertIn("/spec/replicas", self.check(broken.objects))

    def test_a_kind_that_is_not_there(self):
        broken = Broken()
        broken.find("Service")["kind"] = "Servise"
        self.assertIn("v1 has no kind 'Servise'", self.check(broken.objects))


class Compose(unittest.TestCase):
    """On a copy of the folder, which the checks look into."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(ROOT / "deploy/compose/llama-server", self.folder, dirs_exist_ok=True)
        self.file = strict_yaml.load_all((self.folder / "docker-compose.yml").read_text())[0]
        self.services = self.file["services"]

    def found(self, said):
        errors = compose.check(self.file, self.folder)
        self.assertTrue(any(said in e for e in errors), errors)

    def rewrite(self, old, new):
        path = self.folder / "aio.toml"
        self.assertIn(old, path.read_text())
        path.write_text(path.read_text().replace(old, new))

    def test_what_is_right_passes(self):
        self.assertEqual(compose.check(self.file, self.folder), [])

    def schema(self):
        run = subprocess.run(["node", "compose_schema.mjs"], cwd=TOOLS, input=json.dumps(self.file),
                             capture_output=True, text=True, check=True)
        return run.stdout

    def test_the_schema(self):
        self.assertEqual(self.schema(), "")
        self.services["aio"]["heathcheck"] = self.services["aio"].pop("healthcheck")
        self.assertIn("heathcheck", self.schema())

    def test_an_image_without_a_version(self):
        self.services["small"]["image"] = "ghcr.io/ggml-org/llama.cpp"
        self.found("has no fixed version")

    def test_a_port_for_everybody(self):
        self.services["aio"]["ports"] = ["8080:8080"]
        self.found("open to everybody")

    def test_a_key_in_the_clear(self):
        self.services["aio"]["environment"] = {"AIO_API_KEY": "secret"}
        self.found("in the clear")

    def test_no_health_check(self):
        del self.services["large"]["healthcheck"]
        self.found("healthcheck is missing")

    def test_an_engine_that_has_no_time_to_download(self):
        for start in ("30s", "1m30s", "59m"):
            with self.subTest(start):
                self.services["large"]["healthcheck"]["start_period"] = start
                self.found(f"service large: healthcheck.start_period is {start}")
        del self.services["large"]["healthcheck"]["start_period"]
        self.found("service large: healthcheck.start_period is 0s")

    def test_a_server_that_does_not_wait(self):
        del self.services["aio"]["depends_on"]["large"]
        self.found("does not wait for large")

    def test_an_engine_that_is_not_there(self):
        self.rewrite("http://large:8080", "http://huge:8080")
        self.found("there is no service 'huge'")

    def test_another_port(self):
        self.rewrite("http://large:8080", "http://large:8000")
        self.found("large does not listen on port 8000")

    def test_another_name(self):
        self.rewrite('name = "qwen-7b"', 'name = "qwen-72b"')
        self.found("large serves no 'qwen-72b'")

    def test_no_configuration(self):
        (self.folder / "aio.toml").unlink()
        self.found("no aio.toml is mounted")


class Chart(unittest.TestCase):
    def template(self, *arguments):
        run = subprocess.run([TOOLS / "helm", "template", "aio", ROOT / "deploy/helm/aio", *arguments],
                             capture_output=True, text=True)
        return run.returncode, run.stdout, run.stderr

    def configuration(self, output):
        config = next(o for o in strict_yaml.load_all(output) if o["kind"] == "ConfigMap")
        return tomllib.loads(config["data"]["aio.toml"])

    def test_values_that_cannot_work_are_refused_by_name(self):
        for value, said in (
                ("engine=external", "models.small.urls: engine: external needs at least one URL"),
                ("engine=sglang", "engine"),
                ("engin=vllm", "engin"),
                ("image.tag=latest", "image/tag"),
                ("models.large.strategy=lookup", "models/large/strategy"),
                ("models.large.urls={ftp://x}", "models/large/urls"),
                ("models.large.urls={http://x:8000/}", "models/large/urls"),
                ("models.small.urls={http://user:pw@x}", "models/small/urls"),
                ("models.small.urls={http://x/a?b}", "models/small/urls"),
                ("models.small.urls={http://x/a/}", "models/small/urls"),
                ("models.small.revision=main", "models/small/revision"),
                ("engine=vllm,models.small.trustRemoteCode=true", "models.small.revision: is empty"),
                ("engine=vllm,models.large.args={--trust-remote-code}", "set models.large.trustRemoteCode"),
                ("engine=vllm-ascend,vllmAscend.args={--trust_remote_code=1}", "set models.small.trustRemoteCode"),
                ("limitsSecret.name=limits", "limitsSecret: limits are those of keys"),
                ("autoscaling.cpuPercent=0", "cpuPercent or runningPerPod must be given")):
            with self.subTest(value):
                code, _, error = self.template("--set", value)
                self.assertNotEqual(code, 0)
                self.assertIn(said, error)

    def test_text_with_quotes_gets_into_the_configuration_as_it_is(self):
        values = ROOT / "tests/deploy/values/hardened.yaml"
        _, output, _ = self.template(f"--values={values}")
        config = self.configuration(output)
        self.assertEqual(config["probe"]["suffix"], '<|im_start|>say "one" word:\n')

    def test_further_keys_get_into_the_tables_that_the_chart_writes(self):
        _, output, _ = self.template(f"--values={ROOT / 'tests/deploy/values/hardened.yaml'}")
        config = self.configuration(output)
        self.assertEqual(config["server"]["body_bytes_max"], 16777216)
        self.assertEqual(config["probe"]["window_tokens"], 512)
        self.assertEqual(config["server"]["tls"]["key"], "/run/aio/tls.key")
        self.assertEqual(config["models"]["small"]["chat_template"], "chatml")
        self.assertEqual(config["models"]["large"]["health_port"], 1026)

    def test_replicas_say_how_they_decode(self):
        _, output, _ = self.template(f"--values={ROOT / 'tests/deploy/values/hardened.yaml'}")
        found = self.configuration(output)["models"]["large"]["discovery"]
        self.assertEqual(found["strategy"], "prompt_lookup")
        _, output, _ = self.template("--set=engine=external,models.large.strategy=plain",
                                     "--set-string=models.small.urls={http://x}",
                                     "--set-string=models.large.urls={http://y}")
        self.assertEqual(self.configuration(output)["models"]["large"]["replicas"],
                         [{"url": "http://y", "strategy": "plain"}])

    def test_limits_are_shared(self):
        _, output, _ = self.template(f"--values={ROOT / 'tests/deploy/values/hardened.yaml'}")
        self.assertEqual(self.configuration(output)["server"]["limits_url_env"], "AIO_LIMITS_URL")
        self.assertIn(("limits", "database"), manifests.secret_keys(strict_yaml.load_all(output)))

    def test_urls_that_are_taken(self):
        for url in ("http://x", "https://x.y:1", "http://[::1]:8000/a", "http://host:8000/prefix/of@it"):
            with self.subTest(url):
                code, output, error = self.template(
                    "--set=engine=external", f"--set-string=models.small.urls={{{url}}}",
                    "--set-string=models.large.urls={http://y}")
                self.assertEqual(code, 0, error)
                self.assertEqual(self.configuration(output)["models"]["small"]["replicas"], [{"url": url}])

    def engine_arguments(self, *arguments):
        code, output, error = self.template("--set=engine=vllm-ascend", *arguments)
        self.assertEqual(code, 0, error)
        return next(o for o in strict_yaml.load_all(output) if o["kind"] == "Deployment"
                    and o["metadata"]["name"] == "aio-small")["spec"]["template"]["spec"]["containers"][0]["args"]

    def test_code_of_a_models_repository_is_run_only_if_that_is_asked_for(self):
        self.assertNotIn("--trust-remote-code", self.engine_arguments())
        commit, other = 40 * "a", 40 * "b"
        arguments = self.engine_arguments("--set=models.small.trustRemoteCode=true",
                                          f"--set-string=models.small.revision={commit}",
                                          f"--set-string=models.small.codeRevision={other}")
        for said in ("--trust-remote-code", f"--revision={commit}", f"--tokenizer-revision={commit}",
                     f"--code-revision={other}"):
            self.assertIn(said, arguments)

    def test_a_model_on_the_volume_has_no_commit(self):
        self.assertIn("--trust-remote-code", self.engine_arguments(
            "--set=models.small.trustRemoteCode=true", "--set=models.small.model=/models/pangu"))

    def test_the_values_for_ascend_wait_for_commits(self):
        code, _, error = self.template(f"--values={ROOT / 'deploy/kubernetes/vllm-ascend.values.yaml'}")
        self.assertNotEqual(code, 0)
        self.assertIn("revision: is empty", error)

    def test_a_release_of_another_name_and_namespace(self):
        run = subprocess.run([TOOLS / "helm", "template", "chat", ROOT / "deploy/helm/aio", "--namespace=llm",
                              "--set=engine=vllm"], capture_output=True, text=True, check=True)
        objects = strict_yaml.load_all(run.stdout)
        self.assertEqual(manifests.check(objects), [])
        self.assertIn("http://chat-aio-large.llm:8000", run.stdout)

    def test_two_releases_in_one_namespace_leave_each_other_alone(self):
        objects = []
        for name in ("one", "two"):
            run = subprocess.run([TOOLS / "helm", "template", name, ROOT / "deploy/helm/aio", "--namespace=llm"],
                                 capture_output=True, text=True, check=True)
            objects += strict_yaml.load_all(run.stdout)
        errors = [e for e in manifests.check(objects) if "twice" in e or "another" in e or "2 Deployments" in e]
        self.assertEqual(errors, [])


class CheckDeploy(unittest.TestCase):
    """scripts/check-deploy itself, in a copy of the tree."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        for name in ("config", "deploy", "docs", "policy", "scripts", "tests/deploy"):
            shutil.copytree(ROOT / name, self.root / name, symlinks=True)
        for name in ("CMakeLists.txt", "README.md"):
            shutil.copy(ROOT / name, self.root / name)

    def check(self):
        run = subprocess.run([sys.executable, "-B", self.root / "scripts/check-deploy", "--tools", TOOLS],
                             capture_output=True, text=True)
        return run.returncode, run.stdout

    def rewrite(self, name, old, new):
        path = self.root / name
        self.assertIn(old, path.read_text())
        path.write_text(path.read_text().replace(old, new))

    def test_what_is_right_passes(self):
        self.assertEqual(self.check(), (0, ""))

    def test_each_file_that_is_wrong_is_named(self):
        self.rewrite("deploy/helm/aio/values.yaml", "replicas: 2  ", "replicas: 2\nreplicas: 2  ")
        self.rewrite("deploy/helm/aio/Chart.yaml", 'appVersion: "', 'appVersion: "9.')
        self.rewrite("deploy/kubernetes/external.yaml", "periodSeconds: 2\n", "periodSeconds: 3\n")
        self.rewrite("docs/deploy/cluster.md", "secret generic aio-engines", "secret generic engines")
        self.rewrite("docs/deploy/laptop.md", 'draft_model = "small"', "draft_model = small")
        self.rewrite("docs/deploy/README.md", "(laptop.md)", "(desktop.md)")
        code, said = self.check()
        self.assertEqual(code, 1)
        for line in ("values.yaml: the key 'replicas' is given twice", "appVersion must be",
                     "external.yaml: is not what the chart makes", "does not make the Secret 'aio-engines'",
                     "laptop.md: a configuration: ", "README.md: there is no docs/deploy/desktop.md"):
            self.assertIn(line, said)

    def test_the_policy_of_the_repository_is_the_charts(self):
        self.rewrite("policy/paper.toml", "entropy_max = 0.45", "entropy_max = 0.30")
        self.assertIn("vllm.yaml: is not what the chart makes", self.check()[1])


if __name__ == "__main__":
    unittest.main()
