/** What a restore makes of values that a former codec has written. */

import { isOperatorKind, type StateSpec } from "./catalog.js";
import { migrated } from "./migrations.js";
import type { OperatorContent } from "./operator-model.js";
import type { Fields } from "./state-model.js";

/** Brings the declared states to `format`, in place. Stamps stay: migrating is not writing. */
export function migrateContent(
  content: OperatorContent,
  declared: readonly StateSpec[],
  format: number,
): OperatorContent {
  for (const spec of declared) {
    const from = content.formats.get(spec.name) ?? 0;
    for (let step = from + 1; step <= format; step++) migrateState(content, spec, step);
    content.formats.set(spec.name, format);
  }
  return content;
}

function migrateState({ keyed, tasks }: OperatorContent, spec: StateSpec, step: number): void {
  if (isOperatorKind(spec.kind)) {
    for (const task of tasks) {
      const stored = task.get(spec.name);
      if (stored !== undefined) task.set(spec.name, migratedParts(spec, stored, step) as unknown[] | Fields);
    }
    return;
  }
  const cells = keyed.get(spec.name);
  for (const [address, cell] of cells ?? []) {
    cells?.set(address, { ...cell, content: migratedParts(spec, cell.content, step) });
  }
}

/** Elements and fields are migrated each by itself. */
function migratedParts({ kind }: StateSpec, stored: unknown, step: number): unknown {
  const one = (value: unknown): unknown => migrated(kind, value, step);
  switch (kind) {
    case "list":
    case "split-list":
    case "union-list":
      return (stored as unknown[]).map(one);
    case "map":
    case "broadcast":
      return new Map([...(stored as Fields)].map(([field, [name, value]]) => [field, [name, one(value)]]));
    default:
      return one(stored);
  }
}
