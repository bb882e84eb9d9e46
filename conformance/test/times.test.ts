/** (m) to (r): values that expire, timers, former codecs, merged namespaces, key groups, listeners; on memory. */

import { stickyKeyGroups } from "@tidemark/core";
import { describe, it } from "vitest";
import { checkProperty } from "../src/check-property.js";
import { Coverage } from "../src/commands/coverage.js";
import { ttlIsExact } from "../src/properties/expiring.js";
import { mergingMovesAll } from "../src/properties/merging.js";
import { migrationIsLossless } from "../src/properties/migrations.js";
import { listenerIsTold } from "../src/properties/notifications.js";
import { stickyMovesFew } from "../src/properties/sticky-groups.js";
import { firingMeetsBarrier, timersFireOnce } from "../src/properties/timers.js";
import { asyncHarness, diskHarness, memoryHarness, pointHarness } from "./support/harnesses.js";
import { PROPERTY_TIMEOUT_MS, report, settings } from "./support/settings.js";

const timeout = PROPERTY_TIMEOUT_MS;

const PROPERTIES = [
  { name: "T43 T44 T45 T46 T49 T51 a value lives exactly as long as declared", make: ttlIsExact, runs: 60 },
  { name: "T53 T54 T56 timers fire once, in order, and not before their time", make: timersFireOnce, runs: 50 },
  { name: "T55 a checkpoint has a timer, or all that its handler did", make: firingMeetsBarrier, runs: 40 },
  { name: "T65 T66 T69 migration is lossless, and no write", make: migrationIsLossless, runs: 40 },
  { name: "T33 T52 merging moves everything once and in order", make: mergingMovesAll, runs: 40 },
  { name: "T78 T79 a listener is told what is so", make: listenerIsTold, runs: 60 },
];

describe.each(PROPERTIES)("$name", ({ name, make, runs }) => {
  it("on memory", { timeout }, async () => {
    const coverage = new Coverage();
    await checkProperty(name, make(memoryHarness, coverage), settings(runs));
    report(name, coverage);
  });

  it.each([diskHarness, pointHarness, asyncHarness])("on $name", { timeout }, async (harness) => {
    await checkProperty(name, make(harness, new Coverage()), settings(runs * 0.2));
  });
});

it("T77 key groups are dealt out evenly, and few of them move", { timeout }, async () => {
  await checkProperty("sticky key groups", stickyMovesFew(stickyKeyGroups), settings(300));
});
