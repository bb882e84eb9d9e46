/** The tables of a schema, by their quoted names. Nothing else is ever written into the text of a statement. */

/** Names that need no care anywhere: also unquoted, in URLs, in scripts. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

export interface Tables {
  /** As given: not quoted. */
  readonly schemaName: string;
  readonly schema: string;
  readonly version: string;
  readonly scope: string;
  readonly owner: string;
  readonly applied: string;
  readonly entry: string;
  readonly object: string;
  readonly chunk: string;
  readonly upload: string;
}

/** @throws {RangeError} if `schema` is no name of lower-case letters, digits and `_` */
export function tablesOf(schema: string): Tables {
  if (typeof schema !== "string" || !SCHEMA.test(schema) || schema.startsWith("pg_")) {
    throw new RangeError(
      `Schema name refused. received=${JSON.stringify(String(schema).slice(0, 80))}. Use a-z, 0-9 and _, at most 63, not beginning with a digit or pg_.`,
    );
  }
  const table = (name: string): string => `"${schema}"."tidemark_${name}"`;
  return Object.freeze({
    schemaName: schema,
    schema: `"${schema}"`,
    version: table("version"),
    scope: table("scope"),
    owner: table("owner"),
    applied: table("applied"),
    entry: table("entry"),
    object: table("object"),
    chunk: table("chunk"),
    upload: table("upload"),
  });
}
