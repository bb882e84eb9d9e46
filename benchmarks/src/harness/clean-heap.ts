/** Collects all garbage, so that what comes next does not pay for what was before. */
export function cleanHeap(): void {
  if (globalThis.gc === undefined) throw new Error("Start the process with --expose-gc.");
  globalThis.gc();
}
