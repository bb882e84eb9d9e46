/** What single features of state do on a backend: time to live, timers, former codecs, merging, notices, the dealing of key groups. */

import { stickyKeyGroups } from "@tidemark/core";
import { ttlIsExact } from "../../properties/expiring.js";
import { mergingMovesAll } from "../../properties/merging.js";
import { migrationIsLossless } from "../../properties/migrations.js";
import { listenerIsTold } from "../../properties/notifications.js";
import { stickyMovesFew } from "../../properties/sticky-groups.js";
import { firingMeetsBarrier, timersFireOnce } from "../../properties/timers.js";
import type { Law } from "../../runner/law.js";

const FEATURE = { contract: "backend", level: "features", hooks: ["backend"] } as const;

export const FEATURE_LAWS: readonly Law[] = [
  {
    ...FEATURE,
    id: "ttl-is-exact",
    clauses: ["T43", "T44", "T45", "T46", "T47", "T49", "T51"],
    title: "A value lives exactly as long as it is declared to, whatever happens meanwhile",
    run: (context) => context.check(ttlIsExact(context.jobs, context.coverage), context.runs(20)),
  },
  {
    ...FEATURE,
    id: "timers-fire-once",
    clauses: ["T53", "T54", "T56"],
    title: "A timer fires once, in its order, when its time has come and not before",
    run: (context) => context.check(timersFireOnce(context.jobs, context.coverage), context.runs(10)),
  },
  {
    ...FEATURE,
    id: "firing-meets-barrier",
    clauses: ["T55"],
    title: "After a restore exactly those timers fire whose effects are not in the checkpoint",
    run: (context) => context.check(firingMeetsBarrier(context.jobs, context.coverage), context.runs(20)),
  },
  {
    ...FEATURE,
    id: "migration-is-lossless",
    clauses: ["T65", "T66", "T69"],
    title: "Values of former codecs are today's, each once and with nothing lost",
    run: (context) => context.check(migrationIsLossless(context.jobs, context.coverage), context.runs(8)),
  },
  {
    ...FEATURE,
    id: "merging-moves-all",
    clauses: ["T33", "T52"],
    title: "Merging moves everything that a key has in the sources, in order, and leaves nothing behind",
    run: (context) => context.check(mergingMovesAll(context.jobs, context.coverage), context.runs(20)),
  },
  {
    ...FEATURE,
    id: "listener-is-told",
    clauses: ["T78", "T79"],
    title: "A listener is told what has become of each checkpoint, in order, once, and not before it is so",
    run: (context) => context.check(listenerIsTold(context.jobs, context.coverage), context.runs(15)),
  },
  {
    ...FEATURE,
    id: "sticky-moves-few",
    clauses: ["T77"],
    title: "Dealing key groups gives each to one task, evenly, and moves as few as that allows",
    run: (context) => context.check(stickyMovesFew(context.jobs.assign ?? stickyKeyGroups), context.runs(50)),
  },
];
