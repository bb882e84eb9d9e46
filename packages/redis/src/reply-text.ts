/** Words of replies as text. */

/** The text of a word; `none`, which is no number and no word of ours, for anything else. */
export function textOf(word: unknown): string {
  if (Buffer.isBuffer(word)) return word.toString();
  return typeof word === "string" ? word : "none";
}
