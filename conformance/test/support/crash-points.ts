/**
 * Every disk that the death of a process may leave behind: what is written stays, the process is gone between any two file
 * operations. Operations that change nothing leave the disk of the one before.
 */

import { createHash } from "node:crypto";
import type { Knowledge, Observer } from "../../src/properties/scenario.js";
import { FaultFiles } from "./workspace.js";

export type DiskImage = ReturnType<FaultFiles["image"]>;

/** A disk, and what was known when the process died. */
export interface CrashPoint {
  readonly image: DiskImage;
  readonly knowledge: Knowledge;
}

/** Runs `program` on a disk that holds `start`, and collects the crash points on its way. */
export async function crashPoints(
  start: CrashPoint,
  program: (files: FaultFiles, observer: Observer) => Promise<void>,
): Promise<CrashPoint[]> {
  const files = new FaultFiles(start.image);
  let { knowledge } = start;
  const points: CrashPoint[] = [];
  let last = "";
  const look = (): void => {
    const image = files.image();
    const key = keyOf(image, knowledge);
    if (key !== last) points.push({ image, knowledge });
    last = key;
  };
  // The plan is asked before each operation: then the disk is as the operation before has left it.
  const { run } = files.plan;
  files.plan.run = (operation, path, effect) => {
    look();
    return run.call(files.plan, operation, path, effect) as never;
  };
  await program(files, { learned: (learned) => (knowledge = learned) });
  look();
  return points;
}

function keyOf(image: DiskImage, { acknowledged, inFlight }: Knowledge): string {
  const hash = createHash("sha1").update(`${acknowledged?.id} ${inFlight.length}\n`);
  for (const [path, content] of image) hash.update(`${path}\n`).update(content);
  return hash.digest("hex");
}
