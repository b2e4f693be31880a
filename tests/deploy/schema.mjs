// Checks Kubernetes objects against Kubernetes' own schemas (npm's kubernetes-models): types,
// required fields, enumerations, and keys that the API does not know, which it would drop in silence.
// Takes a JSON array of objects on standard input, says what is wrong, one line each.
import { readFileSync } from "node:fs";

// Files, for the packages export only some of them. They lie beside this file where it runs.
const MODULES = new URL("node_modules/", import.meta.url).href;
const CORE = `${MODULES}kubernetes-models/_schemas/IoK8sApi`;
const SCHEMAS = {
  "v1": `${CORE}CoreV1`,
  "apps/v1": `${CORE}AppsV1`,
  "autoscaling/v2": `${CORE}AutoscalingV2`,
  "networking.k8s.io/v1": `${CORE}NetworkingV1`,
  "policy/v1": `${CORE}PolicyV1`,
  "rbac.authorization.k8s.io/v1": `${CORE}RbacV1`,
  "monitoring.coreos.com/v1":
    `${MODULES}@kubernetes-models/prometheus-operator/_schemas/` +
    "ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1",
};

// A validator looks at every key that its schema names, and walks over an object whose keys are free.
// So a key of an object that was looked at, but not at that key, is one that the schema does not know.
class Watched {
  constructor() {
    this.looks = [];
  }

  watch(value, path) {
    if (value === null || typeof value !== "object") return value;
    const look = { value, path, keys: new Set(), walked: Array.isArray(value) };
    const children = new Map();
    this.looks.push(look);
    return new Proxy(value, {
      get: (target, key) => {
        look.keys.add(key);
        const child = target[key];
        if (typeof key !== "string" || !Object.hasOwn(target, key)) return child;
        if (!children.has(key)) children.set(key, this.watch(child, `${path}.${key}`));
        return children.get(key);
      },
      has: (target, key) => (look.keys.add(key), key in target),
      ownKeys: (target) => ((look.walked = true), Reflect.ownKeys(target)),
    });
  }

  unknown() {
    return this.looks
      .filter((look) => !look.walked && look.keys.size > 0)
      .flatMap((look) =>
        Object.keys(look.value)
          .filter((key) => !look.keys.has(key))
          .map((key) => `${look.path}.${key}`));
  }
}

async function problems(object) {
  const schema = SCHEMAS[object.apiVersion];
  if (!schema) return [`apiVersion '${object.apiVersion}' is not one that is checked here`];
  let validate;
  try {
    ({ validate } = await import(`${schema}${object.kind}.js`));
  } catch {
    return [`${object.apiVersion} has no kind '${object.kind}'`];
  }
  const watched = new Watched();
  if (!validate(watched.watch(object, ""))) {
    return validate.errors.map((e) => `${e.instancePath} ${e.message ?? JSON.stringify(e.params)}`);
  }
  return watched.unknown().map((path) => `${path.slice(1)}: Kubernetes knows no such field`);
}

for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  for (const problem of await problems(object)) {
    console.log(`${object.kind} ${object.metadata?.name}: ${problem}`);
  }
}
