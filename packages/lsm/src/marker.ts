/** The file that says whose a directory of working state is. */

import { quoted, StateBackendError, type TaskScope } from "@tidemark/core";

/** Of the records and entries that docs/formats.md#leveldb describes. */
export const FORMAT_VERSION = 2;

export const MARKER = "TIDEMARK";

/** Whether `name` is the marker, or one that was not finished. */
export function isMarkerFile(name: string): boolean {
  return name === MARKER || name === `${MARKER}.tmp`;
}

/** What the file says of `scope`. Also what a database of the user's own says. */
export function markerText({ job, operator, maxParallelism, groups }: TaskScope, version = FORMAT_VERSION): string {
  return `${JSON.stringify({ format: "tidemark-lsm", version, job, operator, maxParallelism, groups })}\n`;
}

/**
 * Checks that `text` is the marker of `scope`. Returns the version of what is there, which may be an older one.
 * @throws {StateBackendError} STATE_INCOMPATIBLE or FORMAT_UNSUPPORTED
 */
export function checkMarker(text: string, scope: TaskScope, place: string): number {
  const version = versionIn(text) ?? FORMAT_VERSION;
  if (version > FORMAT_VERSION) {
    throw new StateBackendError(
      "FORMAT_UNSUPPORTED",
      `Working state was written by a newer version of Tidemark. ${place} version=${version} expected=${FORMAT_VERSION}. ` +
        "Use that version, or remove it: its content is rebuilt from the checkpoint.",
    );
  }
  if (text === markerText(scope, version)) return version;
  throw new StateBackendError(
    "STATE_INCOMPATIBLE",
    `The working state here is another task's. ${place} found=${quoted(text.trim())} expected=${quoted(markerText(scope).trim())}. ` +
      "Nothing was changed. Choose another place, or move this one to where it was.",
  );
}

function versionIn(text: string): number | undefined {
  try {
    const { format, version } = JSON.parse(text) as { format?: unknown; version?: unknown };
    return format === "tidemark-lsm" && typeof version === "number" ? version : undefined;
  } catch {
    return undefined;
  }
}
