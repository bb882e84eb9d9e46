/**
 * Short texts for every slot of a Redis cluster: a key with `{tag}` in it is in the slot that the tag was made for.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */

export const SLOTS = 16_384;

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

let tags: readonly string[] | undefined;

/** A text of at most four characters of `[0-9a-z]` that Redis keeps in `slot`. */
export function tagOfSlot(slot: number): string {
  tags ??= findTags();
  return tags[slot] as string;
}

/** The slot of a text without braces: CRC-16 of XMODEM, modulo the number of slots. */
export function slotOf(text: string): number {
  let crc = 0;
  for (let at = 0; at < text.length; at++) {
    crc ^= text.charCodeAt(at) << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff;
  }
  return crc % SLOTS;
}

/** The shortest text of each slot, the first of those in order of digits. */
function findTags(): readonly string[] {
  const found = new Array<string | undefined>(SLOTS).fill(undefined);
  let missing = SLOTS;
  let texts: readonly string[] = [""];
  while (missing > 0) {
    texts = texts.flatMap((text) => [...DIGITS].map((digit) => text + digit));
    for (const text of texts) {
      const slot = slotOf(text);
      if (found[slot] !== undefined) continue;
      found[slot] = text;
      missing--;
      if (missing === 0) break;
    }
  }
  return found as readonly string[];
}
