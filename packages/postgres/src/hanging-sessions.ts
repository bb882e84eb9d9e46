/** Sessions that hold what another one needs. */

import type { Place } from "./place.js";
import { sqlStateOf } from "./postgres-error.js";

/** Ends transactions with these labels, where this role may: the rest the server ends after a while by itself. */
export async function endSessions(
  { database }: Place,
  labels: readonly string[],
  { onlyIdle }: { readonly onlyIdle: boolean },
): Promise<void> {
  try {
    await database.transaction({ doing: "Ending hanging sessions" }, async (session) => {
      await session.query(
        `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
         WHERE application_name = ANY ($1) AND state LIKE $2`,
        [labels, onlyIdle ? "idle in transaction%" : "%"],
      );
    });
  } catch (error) {
    if (sqlStateOf((error as Error).cause) === undefined) throw error;
  }
}
