/** What a server must be, and should be, to keep what it is given. */

import { StateBackendError } from "@tidemark/core";
import type { Database } from "./database.js";

/** The oldest version that has ranges of ranges. */
const VERSION_MIN = 140_000;
/** Settings without which a crash of the server's machine may take what was acknowledged. */
const DURABLE_SETTINGS = ["fsync", "full_page_writes"] as const;

/**
 * Refuses a server that cannot be written to.
 * @returns what the server is set to that makes it lose acknowledged changes, for people
 * @throws {StateBackendError} UNAVAILABLE for a standby or a server that is too old
 */
export async function checkServer(database: Database): Promise<readonly string[]> {
  const { rows } = await database.read(
    "Looking at the server",
    `SELECT pg_catalog.pg_is_in_recovery()::text, pg_catalog.current_setting('server_version_num'),
       pg_catalog.current_setting('transaction_read_only'),
       ${DURABLE_SETTINGS.map((name) => `pg_catalog.current_setting('${name}')`).join(", ")}`,
    [],
  );
  const [isStandby, version, isReadOnly, ...settings] = rows[0] ?? [];
  if (isStandby === "true" || isReadOnly === "on") {
    throw new StateBackendError(
      "UNAVAILABLE",
      "The server is a standby, or read only. Connect to the primary, and name no host that may lead to a standby.",
    );
  }
  if (Number(version) < VERSION_MIN) {
    throw new StateBackendError(
      "UNAVAILABLE",
      `The server is too old. version=${version} expected=14 or later. Use a newer one.`,
    );
  }
  return DURABLE_SETTINGS.filter((_, index) => settings[index] === "off");
}
