/** State in memory, checkpoints in memory: for tests, and for state that may go with its process. */

export { memory, type MemoryOptions } from "./memory.js";
