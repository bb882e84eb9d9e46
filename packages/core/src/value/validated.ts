/**
 * A codec that lets a schema look at every value before it is stored.
 *
 * Invariants:
 * - The stored bytes are those of the codec: a schema may come, change and go without a migration.
 * - A value is validated before anything changes, and never when it is read.
 *
 * @see https://standardschema.dev
 */

import type { Codec } from "../contracts/codec.js";
import { quoted, StateBackendError } from "../errors.js";
import { memberSegment, placeInValue } from "./value-path.js";
import { withParts } from "./with-parts.js";

/** A schema of any library that follows Standard Schema version 1: zod, valibot, arktype and others. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    /** The name of the library. */
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the compiler only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What validating gives: the value to be stored, or what is wrong with the one that was given. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  /** From the value inwards. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type TypesOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>;

/** What a schema gives. */
export type SchemaOutput<Schema extends StandardSchema> = TypesOf<Schema>["output"];

/**
 * `Schema` itself if it takes what it gives, for a value that is read may be stored again, and if a codec of `Value` keeps what it
 * gives; else nothing that exists.
 */
type Fitting<Schema extends StandardSchema, Value> =
  SchemaOutput<Schema> extends TypesOf<Schema>["input"] & Value ? Schema : never;

const ISSUE_COUNT_SHOWN = 3;

/**
 * `codec`, with the same id, version and bytes, that stores only what `schema` accepts, and stores it as the schema gives it, with defaults
 * filled in and texts trimmed. A state may validate a value that the schema gave before, so the schema must take that and give an equal value.
 *
 * Storing a value that the schema refuses throws VALUE_INVALID, with the issues as its cause. A migrated value is validated as
 * well; a value that is read is not.
 * @throws {TypeError} if a part is missing; and when the first value is stored, if the schema is asynchronous
 */
export function validated<Value, Schema extends StandardSchema>(
  codec: Codec<Value>,
  schema: Schema & Fitting<Schema, Value>,
): Codec<SchemaOutput<Schema>> {
  const standard = (schema as StandardSchema | undefined)?.["~standard"];
  if (typeof codec?.own !== "function" || standard?.version !== 1 || typeof standard.validate !== "function") {
    throw new TypeError(
      "A validated codec needs a codec and a schema that follows Standard Schema version 1. Pass for example validated(json(), z.object({ … })).",
    );
  }
  return withParts(codec as Codec<unknown>, { own: (value) => codec.own(accepted(standard, value) as Value) });
}

/** What the schema gives for `value`. */
function accepted(standard: StandardSchema["~standard"], value: unknown): unknown {
  const result = resultOf(standard, value);
  if ("then" in result) {
    // The error below says it all: what the promise comes to must not end the process as an unhandled rejection.
    Promise.resolve(result).catch(() => undefined);
    throw new TypeError(
      `A schema is asynchronous, but storing a value is synchronous. vendor=${quoted(standard.vendor)}. Use a schema without asynchronous checks, and do those before the value is stored.`,
    );
  }
  if (result.issues === undefined) return result.value;
  throw refused(standard.vendor, result.issues);
}

function resultOf(
  standard: StandardSchema["~standard"],
  value: unknown,
): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  try {
    return standard.validate(value);
  } catch (cause) {
    throw new StateBackendError(
      "VALUE_INVALID",
      `A schema failed at a value. vendor=${quoted(standard.vendor)}. See the cause; store a value that the schema can check.`,
      { cause },
    );
  }
}

function refused(vendor: string, issues: readonly SchemaIssue[]): StateBackendError {
  const shown = issues.slice(0, ISSUE_COUNT_SHOWN).map(({ message, path = [] }) => {
    const segments = path.map((step) => memberSegment(typeof step === "object" ? step.key : step));
    return ` at=${placeInValue(segments)} issue=${quoted(message)}`;
  });
  const more = issues.length > ISSUE_COUNT_SHOWN ? ` more=${issues.length - ISSUE_COUNT_SHOWN}` : "";
  return new StateBackendError(
    "VALUE_INVALID",
    `A value does not fit its schema. vendor=${quoted(vendor)}${shown.join("")}${more}. Store a value that fits; the cause holds all issues.`,
    { cause: issues },
  );
}
