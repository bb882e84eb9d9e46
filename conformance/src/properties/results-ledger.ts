/** What is known of checkpoints with results, and the judgement of what a recovery finds. */

import { expectEqual, expectThat } from "../oracles/expectations.js";

/** A checkpoint that was asked for. */
export interface Asked {
  /** The state that it has. */
  readonly value: number;
  /** What is written with it; `undefined` for nothing. */
  readonly result: string | undefined;
  /** Its id, as soon as its transaction or its end has told it. */
  id: number | undefined;
  /** `open`: nobody was told. */
  outcome: "completed" | "void" | "open";
}

/** What a new owner has found. */
export interface Found {
  readonly retained: readonly number[];
  readonly restoredFrom: number | undefined;
  readonly value: number;
  readonly results: readonly string[];
}

export class ResultsLedger {
  #asked: Asked[] = [];

  ask(value: number, result: string | undefined): Asked {
    const asked: Asked = { value, result, id: undefined, outcome: "open" };
    this.#asked.push(asked);
    return asked;
  }

  /**
   * Each checkpoint that counts has its results once; nothing else has any. From then on it is known what became of those that were
   * open.
   */
  settle({ retained, restoredFrom, value, results }: Found): void {
    const counted = retained.map((id) => this.#countedAs(id, results));
    const expected = counted.flatMap(({ result }) => result ?? []);
    expectEqual([...results].sort(), expected.sort(), "Results, of the checkpoints that count");
    const missing = this.#asked.find((asked) => asked.outcome === "completed" && !counted.includes(asked));
    expectThat(missing === undefined, `Checkpoint ${missing?.id} was completed and does not count`);
    expectEqual(restoredFrom, retained.at(-1), "Restored from");
    expectEqual(value, counted.at(-1)?.value ?? 0, "The state that was restored");
    for (const asked of counted) asked.outcome = "completed";
    this.#asked = counted;
  }

  /** Which of those with an id it is: the one that was completed, or an open one whose results are there. */
  #countedAs(id: number, results: readonly string[]): Asked {
    const known = this.#asked.filter((asked) => asked.id === id || asked.id === undefined);
    const completed = known.find((asked) => asked.id === id && asked.outcome === "completed");
    const open = known.filter(({ outcome }) => outcome === "open");
    const found =
      completed ??
      open.find(({ result }) => result !== undefined && results.includes(result)) ??
      open.find(({ result }) => result === undefined) ??
      open[0];
    expectThat(found !== undefined, `Checkpoint ${id} counts, and none that was asked for may be it`);
    found.id = id;
    return found;
  }
}
