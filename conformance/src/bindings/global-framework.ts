/** Frameworks that put `describe` and `it` into the global scope: mocha and jest. */

import type { Framework } from "./register-laws.js";

/** What both have. Mocha calls the body of a test with a context of its own as `this`. */
export interface Globals {
  readonly describe: (name: string, register: () => void) => void;
  readonly it: ((name: string, run: (this: MochaTest) => Promise<void>, timeoutMs?: number) => void) & {
    readonly skip: (name: string, run: () => void) => void;
  };
}

interface MochaTest {
  timeout?(ms: number): void;
}

/** @throws {TypeError} outside of a test file of that framework */
export function globalFramework(name: string, scope: Partial<Globals>): Framework {
  const { describe, it } = scope;
  if (describe === undefined || it === undefined) {
    throw new TypeError(
      `There is no describe and no it. framework=${name}. Call this in a test file that ${name} runs.`,
    );
  }
  return {
    group: (title, register) => describe(title, register),
    test: (title, run, timeoutMs) =>
      it(
        title,
        function (this: MochaTest) {
          this?.timeout?.(timeoutMs);
          return run();
        },
        timeoutMs,
      ),
    // Shown as skipped: the harness has no hook for it, which is for its author to change.
    skipped: (title) => it.skip(title, () => {}),
  };
}
