/** Numbers for people. */

const BYTE_UNITS = ["B", "kB", "MB", "GB"] as const;

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Decimal units: 1 kB is 1,000 bytes. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1000 && unit < BYTE_UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${amount.toFixed(unit === 0 ? 0 : 1)} ${BYTE_UNITS[unit]}`;
}

export function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${ms.toFixed(0)} ms`;
}

export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** One decimal, and a sign that tells late from early only where it is early. */
export function formatMinutes(minutes: number): string {
  return `${Number.isInteger(minutes) ? formatCount(minutes) : minutes.toFixed(1)} min`;
}

export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** `2001-03-04`, of a local time kept as if it were UTC. */
export function formatDay(date: number): string {
  return new Date(date).toISOString().slice(0, 10);
}
