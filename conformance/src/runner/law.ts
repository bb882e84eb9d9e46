/** A law: one thing that every adapter of a contract must do, and how the kit finds out. */

import type { CheckpointStorage } from "@tidemark/core";
import type fc from "fast-check";
import type { Coverage } from "../commands/coverage.js";
import type { Harness } from "../harness.js";
import type { OpenStoreHarness } from "../laws-of-stores/store-harness.js";
import type { Capabilities, Contract, Hook } from "./adapter-harness.js";

/**
 * What a law is about: `objects` (each call of a storage), `checkpoints` (what core builds on them), `fencing` (two owners),
 * `damage`, `surroundings` (failures, bytes and time below the adapter), `crashes`, `state` (a backend's working state),
 * `features` (what state and time do beyond that), `results` (what is committed with a checkpoint), `store`.
 */
export const LEVELS = [
  "objects",
  "checkpoints",
  "fencing",
  "damage",
  "surroundings",
  "crashes",
  "results",
  "state",
  "features",
  "store",
] as const;

/** One of `LEVELS`. */
export type Level = (typeof LEVELS)[number];

/** One rule, and how the kit finds out whether an adapter keeps it. */
export interface Law {
  /** In kebab-case; given once, for ever. */
  readonly id: string;
  readonly contract: Contract;
  readonly level: Level;
  /** What holds, as a sentence without a full stop. */
  readonly title: string;
  /** Clauses of docs/contract.md. */
  readonly clauses: readonly string[];
  /** Without these declared, the adapter does not claim what the law says. @defaultValue none */
  readonly claims?: readonly ("shared" | "durable" | "transactions")[];
  /** Whether the law says anything of an adapter with these capabilities. @defaultValue always */
  appliesTo?(capabilities: Required<Capabilities>): boolean;
  /** What the harness must offer. @defaultValue none */
  readonly hooks?: readonly Hook[];
  /** Judges the harness, not the adapter: a failure is the author's to mend there. @defaultValue false */
  readonly judgesHarness?: boolean;
  /** Resolves if the law holds. @throws whatever shows that it does not */
  run(context: LawContext): Promise<void>;
}

/** A program that fails, in words and as code. */
export interface Program {
  readonly lines: readonly string[];
  /** Statements that do the same to `storage`, `other` and `place`. */
  readonly code?: readonly string[];
}

/** What a law works with. */
export interface LawContext {
  readonly capabilities: Required<Capabilities>;
  readonly coverage: Coverage;
  readonly seed: number;
  /** How many cases, where the profile `quick` has `base`. */
  readonly runs: (base: number) => number;
  /** A new, empty place. */
  place(): Promise<TestPlace>;
  /** The adapter as the properties of whole jobs need it. */
  readonly jobs: Harness;
  /** Places for a `Store`, in laws of that contract. */
  readonly stores: OpenStoreHarness;
  /** Whether the time of the law is over: no more cases are begun, of a law without a property. */
  readonly isOver: () => boolean;
  /** Notes that one more case was looked at, of a law without a property. */
  readonly countCase: () => void;
  /** Checks a property; `show` makes a program of the smallest failing case. */
  check<Given>(
    property: fc.IAsyncProperty<Given>,
    runs: number,
    show?: (given: Given) => Program | undefined,
  ): Promise<void>;
}

/** A place of the adapter, with the hooks that the law has asked for. */
export interface TestPlace {
  open(): Promise<CheckpointStorage>;
  crash(handle: CheckpointStorage): Promise<void>;
  readBack(name: string): Promise<Uint8Array | undefined>;
  corrupt(name: string, bytes: Uint8Array | undefined): Promise<void>;
  faults(nth: number): Promise<() => boolean>;
  advance(ms: number): Promise<void>;
  writeResult(client: unknown, result: string): Promise<void>;
  readResults(): Promise<readonly string[]>;
}
