/** Where two lists of lines part. */

/** The first line that differs, or `undefined`. */
export function firstDifference(actual: readonly string[], expected: readonly string[]): string | undefined {
  const at = Array.from({ length: Math.max(actual.length, expected.length) }).findIndex(
    (_, index) => actual[index] !== expected[index],
  );
  return at < 0 ? undefined : `found ${cut(actual[at])} where ${cut(expected[at])} was expected (line ${at})`;
}

function cut(line: string | undefined): string {
  return line === undefined ? "the end" : line.slice(0, 400);
}
