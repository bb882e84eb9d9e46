/** What leaves a backend is the same whoever wrote it: a savepoint goes from any of them to any other. */

import { sameSavepoints } from "../../differential/same-savepoints.js";
import type { Law } from "../../runner/law.js";

const HISTORY_LENGTH = 40;

export const SAVEPOINT_LAWS: readonly Law[] = [
  {
    contract: "backend",
    level: "state",
    hooks: ["backend"],
    claims: ["shared"],
    id: "same-savepoints",
    clauses: ["T147"],
    title: "After one history its savepoints hold what those of the backend in memory hold, entry by entry",
    run: (context) => context.check(sameSavepoints(context.jobs, context.coverage, HISTORY_LENGTH), context.runs(15)),
  },
];
