/** What core builds on a storage: the properties of whole jobs, with their checkpoints in the place that is tested. */

import { hasCode } from "@tidemark/core";
import { anyHistory } from "../../properties/any-history.js";
import { type Damage, damages, intactPlace, violations } from "../../properties/damage.js";
import { exactlyOnce } from "../../properties/processing.js";
import { listingIsTrue } from "../../properties/retention.js";
import { type HoldPoint, interleave, raceToOwn } from "../../properties/two-owners.js";
import { live, NOTHING, recover } from "../../properties/scenario.js";
import { expectEqual, expectThat, outcomeText, settled } from "../../oracles/expectations.js";
import { readObject } from "../../oracles/stored-objects.js";
import type { Law, LawContext } from "../../runner/law.js";

const CHECKPOINTS = { contract: "storage", level: "checkpoints" } as const;
const HISTORY_LENGTH = 60;

export const JOB_LAWS: readonly Law[] = [
  {
    ...CHECKPOINTS,
    id: "any-history",
    clauses: ["T19", "T20"],
    claims: ["shared"],
    title:
      "A restore gives the state of the checkpoint, for any history of writes, failures, restores and second owners",
    run: (context) => context.check(anyHistory(context.jobs, context.coverage, HISTORY_LENGTH), context.runs(25)),
  },
  {
    ...CHECKPOINTS,
    id: "retained-restores",
    clauses: ["T24"],
    claims: ["shared"],
    title: "What is retained restores, and the storage holds nothing else",
    run: (context) => context.check(listingIsTrue(context.jobs, context.coverage), context.runs(8)),
  },
  {
    ...CHECKPOINTS,
    id: "exactly-once",
    clauses: ["T17", "T28"],
    title: "Records take effect exactly once, wherever the job dies",
    run: (context) => context.check(exactlyOnce(context.jobs), context.runs(20)),
  },
  {
    ...CHECKPOINTS,
    id: "two-lives",
    clauses: ["T20"],
    title: "A job that was closed goes on where it was, with other numbers of tasks",
    async run({ jobs, countCase }) {
      const place = jobs.place();
      const shared = { ...jobs, place: () => place };
      let knowledge = NOTHING;
      await live(shared, { learned: (learned) => (knowledge = learned) });
      await recover(shared, { knowledge, round: 2 });
      countCase();
    },
  },
  {
    id: "race-to-own",
    contract: "storage",
    level: "fencing",
    clauses: ["T25"],
    claims: ["shared"],
    title: "Of two jobs that open at once, at most one believes in its checkpoints, wherever the other was held up",
    async run({ jobs, countCase, isOver }) {
      for (const hold of holdPoints()) {
        countCase();
        if (!(await raceToOwn(jobs, hold)) || isOver()) break;
      }
    },
  },
  {
    id: "later-owner-goes-on",
    contract: "storage",
    level: "fencing",
    clauses: ["T25"],
    claims: ["shared"],
    title: "Of two owners the later goes on and the other is told, wherever its checkpoint and the opening were",
    run: everyInterleaving,
  },
  {
    id: "damage-is-told",
    contract: "storage",
    level: "damage",
    clauses: ["T27"],
    title: "A damaged, lost or swapped object is never restored to a wrong state",
    async run(context) {
      const intact = await intactPlace(context.jobs, { openings: 1, retain: 2 });
      expectThat(intact.objects.size > 3, "The place of a job holds objects");
      for (const damage of damages(intact.objects, context.runs(2))) {
        if (context.isOver()) break;
        expectEqual(await violations(context.jobs, intact, damage), [], `After ${damage.what}`);
        context.countCase();
      }
    },
  },
  {
    id: "damage-below-is-told",
    contract: "storage",
    level: "surroundings",
    clauses: ["T27", "CS6"],
    hooks: ["corrupt"],
    title: "Bytes that were changed behind the adapter's back are never restored to a wrong state",
    run: damageBelow,
  },
];

function* holdPoints(): Generator<HoldPoint> {
  for (let call = 0; ; call++) for (const when of ["before", "after"] as const) yield { call, when };
}

/** The first owner is held up everywhere, the second at every `stride`th point of its opening. */
async function everyInterleaving({ jobs, runs, countCase, isOver }: LawContext): Promise<void> {
  const stride = Math.max(1, Math.round(12 / runs(1)));
  for (const first of holdPoints()) {
    countCase();
    if (!(await interleave(jobs, { first })).firstWasHeld || isOver()) return;
    let at = 0;
    for (const second of holdPoints()) {
      if (at++ % stride !== first.call % stride) continue;
      countCase();
      if (!(await interleave(jobs, { first, second })).secondWasHeld || isOver()) break;
    }
  }
}

/** Damages objects of a place by the hook, and restores from what the adapter then gives. */
async function damageBelow(context: LawContext): Promise<void> {
  const intact = await intactPlace(context.jobs, { openings: 1, retain: 1 });
  const stored = [...intact.objects].filter(([name]) => /\/(checkpoint|segment)\//.test(name));
  for (const [name, body] of stored.slice(0, context.runs(4))) {
    const place = await context.place();
    const storage = await place.open();
    for (const [each, content] of intact.objects) await storage.put(each, content);
    const wrong = Buffer.from(body);
    wrong[wrong.length - 1] = (wrong[wrong.length - 1] ?? 0) ^ 1;
    await place.corrupt(name, wrong);
    const read = await settled(readObject(await place.open(), name));
    context.countCase();
    if ("error" in read) {
      const isTold = hasCode(read.error, "CHECKPOINT_CORRUPT") || hasCode(read.error, "UNAVAILABLE");
      expectThat(isTold, `The read of a damaged object: ${outcomeText(read)}`);
    } else {
      expectThat(
        !read.value.equals(body),
        `${name} reads as it was before corrupt: mend the harness, or what it reads`,
      );
      const damage: Damage = { what: `damage below ${name}`, apply: (objects) => void objects.set(name, read.value) };
      expectEqual(await violations(context.jobs, intact, damage), [], `After ${damage.what}`);
    }
  }
}
