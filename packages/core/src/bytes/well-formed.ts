/**
 * Which text can be kept: UTF-16 without lone surrogates, which UTF-8 cannot express.
 */

/** ES2024; every Node.js that we support has it. */
interface WellFormedText {
  isWellFormed(): boolean;
}

/** Whether every surrogate in `text` is part of a pair. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as WellFormedText).isWellFormed();
}
