/** Judges what an author handed in, before anything runs. */

import type { AdapterHarness, Capabilities } from "./adapter-harness.js";
import { Blame } from "./blame.js";

const CONTRACTS = ["storage", "backend", "store"];
/** What else a harness of a contract must have. */
const MORE: Readonly<Record<string, readonly string[]>> = { backend: ["backend"], store: ["crash"] };
const HOOKS = ["destroy", "advance", "crash", "readBack", "corrupt", "faults", "writeResult", "readResults"];
const CAPABILITIES: Readonly<Record<keyof Capabilities, string>> = {
  shared: "boolean",
  durable: "boolean",
  objectBytesMax: "number",
  transactions: "boolean",
};
const KNOWN = new Set([
  "name",
  "contract",
  "capabilities",
  "inapplicable",
  "takeover",
  "create",
  "reopen",
  "backend",
  ...HOOKS,
]);

/** @throws {Blame} that says what is wrong with the harness */
export function requireHarness(given: unknown): asserts given is AdapterHarness {
  if (typeof given !== "object" || given === null) {
    refuse("no object", typeof given, "Export an object with name, contract, create and reopen.");
  }
  const harness = given as Record<string, unknown>;
  if (typeof harness["name"] !== "string" || harness["name"] === "") {
    refuse("name", String(harness["name"]), "Give it a name that people recognise.");
  }
  if (!CONTRACTS.includes(harness["contract"] as string)) {
    refuse("contract", String(harness["contract"]), "Use 'storage', 'backend' or 'store'.");
  }
  const required = ["create", "reopen", ...(MORE[String(harness["contract"])] ?? [])];
  for (const hook of [...required, ...HOOKS.filter((name) => harness[name] !== undefined)]) {
    if (typeof harness[hook] !== "function") refuse(hook, typeof harness[hook], "Make it a function.");
  }
  const unknown = Object.keys(harness).find((key) => !KNOWN.has(key));
  if (unknown !== undefined) {
    refuse(unknown, "not known", `Use ${[...KNOWN].join(", ")}: a misspelt hook would never run.`);
  }
  requireCapabilities(harness["capabilities"] ?? {});
  for (const [hook, reason] of Object.entries(harness["inapplicable"] ?? {})) {
    if (!HOOKS.includes(hook)) refuse(`inapplicable.${hook}`, "not known", `Use ${HOOKS.join(", ")}.`);
    if (typeof reason !== "string" || harness[hook] !== undefined) {
      refuse(`inapplicable.${hook}`, String(reason), "Give the reason as a text, and no such hook.");
    }
  }
}

function requireCapabilities(capabilities: unknown): void {
  if (typeof capabilities !== "object" || capabilities === null) {
    refuse("capabilities", typeof capabilities, "Make it an object.");
  }
  for (const [name, value] of Object.entries(capabilities)) {
    const type = (CAPABILITIES as Readonly<Record<string, string>>)[name];
    if (type === undefined) refuse(`capabilities.${name}`, "not known", `Use ${Object.keys(CAPABILITIES).join(", ")}.`);
    if (typeof value !== type) refuse(`capabilities.${name}`, typeof value, `Make it a ${type}.`);
  }
  const { objectBytesMax } = capabilities as Capabilities;
  if (objectBytesMax !== undefined && !(objectBytesMax >= 1024)) {
    refuse("capabilities.objectBytesMax", String(objectBytesMax), "Core needs objects of 1,024 bytes at least.");
  }
}

function refuse(what: string, found: string, remedy: string): never {
  throw new Blame("harness", `The harness is not one. field=${what} found=${found}. ${remedy}`);
}

/** What is declared, and what holds where nothing is. */
export function capabilitiesOf({ capabilities = {} }: AdapterHarness): Required<Capabilities> {
  const {
    shared = true,
    durable = false,
    objectBytesMax = Number.POSITIVE_INFINITY,
    transactions = false,
  } = capabilities;
  return { shared, durable, objectBytesMax, transactions };
}
