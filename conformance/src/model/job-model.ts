/**
 * A job and its checkpoints, as the contract says: the lineage tree of deep snapshots, which of them are retained where, and
 * what the running job holds.
 *
 * Invariants:
 * - A snapshot never changes: it is copied when it is taken and when it is restored.
 */

import type { Compression } from "@tidemark/core";
import { CATALOG, type StateSpec } from "./catalog.js";
import { MAX_PARALLELISM, START_MS } from "./domains.js";
import { migrateContent } from "./format-model.js";
import { evenOwners, type Owners, taskCount } from "./key-order.js";
import { copyOf, emptyOperator, type OperatorContent, readAll, rescaled, turnTtl } from "./operator-model.js";
import { lookAt } from "./times.js";

/** One checkpoint or savepoint. */
export interface Snapshot {
  readonly id: number;
  readonly contents: readonly OperatorContent[];
  readonly parent: Snapshot | undefined;
}

/** The checkpoints of one job in one place. */
export interface HomeModel {
  /** Which place, of all that the run uses. */
  readonly place: number;
  readonly job: string;
  /** How many checkpoints its last owner kept. */
  retain: number;
  /** What counts, ascending by id. */
  retained: Snapshot[];
  /** What may count besides: published and not acknowledged, or subsumed and not removed. The next owner finds out. */
  maybe: Snapshot[];
}

/** What a call of the running job is to meet. */
export type Health = "running" | "poisoned";

/** States of each operator that the job declares, and in how many tasks each operator runs. */
export interface Shape {
  readonly declared: readonly (readonly StateSpec[])[];
  readonly parallelism: readonly number[];
  readonly retain: number;
  readonly compression: Compression;
  /** In which format the declared states have their values. @defaultValue 0 */
  readonly format?: number;
  /** For each operator which task owns each key group. @defaultValue even shares */
  readonly owners?: readonly Owners[];
}

/** The owners of an operator's key groups; even shares where those of the shape are for another number of tasks. */
export function ownersIn({ owners, parallelism }: Shape, operator: number): Owners {
  const count = parallelism[operator] ?? 1;
  const given = owners?.[operator];
  return given !== undefined && taskCount(given) === count ? given : evenOwners(MAX_PARALLELISM, count);
}

export const FIRST_SHAPE: Shape = { declared: [CATALOG, CATALOG], parallelism: [2, 1], retain: 1, compression: "none" };

/** What a program decides for all of its commands. */
export type ProgramSettings = Pick<JobModel, "left" | "rescales" | "evolves" | "focus" | "catalog">;

export class JobModel {
  readonly homes: readonly HomeModel[];
  readonly savepoints: Snapshot[] = [];
  contents: readonly OperatorContent[] = restoredContents(undefined, FIRST_SHAPE);
  shape: Shape = FIRST_SHAPE;
  current = 0;
  health: Health = "running";
  /** What the running job continues from. */
  base: Snapshot | undefined;

  /** What the clock of the job shows. */
  nowMs = START_MS;
  /** The newest format that any job of the run has declared. */
  format = 0;

  /** Kinds of commands that the program leaves out, one bit each. */
  left = 0;
  /** Whether the numbers of tasks change. */
  rescales = false;
  /** Whether values get newer formats; then every state is declared: a former codec is needed while segments have it. */
  evolves = false;
  /** States that the program calls, one bit each: few, so that calls of one state meet. */
  focus = -1;
  /** States that the program declares at all. */
  catalog: readonly StateSpec[] = CATALOG;

  /** What was callable at the last look: every operation looks. */
  #callable: { readonly shape: Shape; readonly focus: number; readonly specs: Shape["declared"] } | undefined;

  constructor(homes: readonly Pick<HomeModel, "place" | "job">[]) {
    this.homes = homes.map(({ place, job }) => ({ place, job, retain: FIRST_SHAPE.retain, retained: [], maybe: [] }));
    this.look(this.nowMs);
  }

  get home(): HomeModel {
    return this.homes[this.current] as HomeModel;
  }

  /** The states that operations choose from; all that are declared, if none of them is in focus. */
  get callable(): readonly (readonly StateSpec[])[] {
    const { shape, focus } = this;
    if (this.#callable?.shape !== shape || this.#callable.focus !== focus) {
      const specs = shape.declared.map((all) => {
        const inFocus = all.filter((spec) => ((focus >> CATALOG.indexOf(spec)) & 1) === 1);
        return inFocus.length === 0 ? all : inFocus;
      });
      this.#callable = { shape, focus, specs };
    }
    return this.#callable.specs;
  }

  /** What a barrier finds now. */
  snapshot(id: number): Snapshot {
    return { id, contents: this.contents.map(copyOf), parent: this.base };
  }

  /** The clock shows another time, and every task has seen it. */
  look(nowMs: number): void {
    this.nowMs = nowMs;
    for (const { times } of this.contents) lookAt(times, nowMs);
  }

  /** Everything that is declared and present was read. */
  readAll(): void {
    for (const [operator, content] of this.contents.entries()) {
      for (const spec of this.shape.declared[operator] ?? []) readAll(content, spec, MAX_PARALLELISM);
    }
  }

  /** A checkpoint was published. */
  publish(snapshot: Snapshot): void {
    const { home, shape } = this;
    const all = [...home.retained, snapshot];
    home.retained = all.slice(-shape.retain);
    home.maybe = [...home.maybe, ...all.slice(0, -shape.retain)];
    this.base = snapshot;
  }

  /** The job runs, from `snapshot` or from nothing. */
  restore(snapshot: Snapshot | undefined, shape: Shape): void {
    this.shape = shape;
    this.base = snapshot;
    this.home.retain = shape.retain;
    this.health = "running";
    this.format = Math.max(this.format, shape.format ?? 0);
    this.contents = restoredContents(snapshot, shape);
    this.look(this.nowMs);
    for (const [operator, content] of this.contents.entries()) {
      for (const spec of shape.declared[operator] ?? []) turnTtl(content, spec, MAX_PARALLELISM);
    }
  }
}

/** What a job in `shape` finds when it starts from `snapshot`. */
export function restoredContents(snapshot: Snapshot | undefined, shape: Shape): readonly OperatorContent[] {
  return shape.parallelism.map((_, operator) => {
    const owners = ownersIn(shape, operator);
    const before = snapshot?.contents[operator];
    const specs = shape.declared[operator] ?? [];
    const content =
      before === undefined
        ? emptyOperator(owners)
        : rescaled(before, CATALOG, { owners, maxParallelism: MAX_PARALLELISM });
    return migrateContent(content, specs, shape.format ?? 0);
  });
}
