/**
 * The parts of other packages that the kit's own tests run on.
 *
 * By path, and here only: those packages have the kit as a dependency, so it cannot name them as its own.
 */

export { directory, filesystem } from "../../../packages/filesystem/src/index.js";
export { crashStates } from "../../../packages/filesystem/test/support/crash-states.js";
export { FaultFiles } from "../../../packages/filesystem/test/support/fault-files.js";
export { memory } from "../../../packages/memory/src/index.js";
