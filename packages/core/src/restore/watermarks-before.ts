/**
 * The watermarks of the tasks that state comes from. A task that takes over from several has the lowest of theirs, and what had
 * expired by a higher one must not come back.
 */

import type { OperatorManifest } from "../checkpoint/manifest.js";
import type { WatermarkOf } from "../state/sweep.js";
import type { TaskTime } from "../table/task-time.js";

/** By key group; `undefined` if none is higher than that of `time`. */
export function watermarksBefore({ tasks }: OperatorManifest, { watermark }: TaskTime): WatermarkOf | undefined {
  const isHigher = (other: number | null | undefined): boolean =>
    typeof other === "number" && (watermark === undefined || other > watermark);
  const higher = tasks.filter(({ time }) => isHigher(time?.watermark));
  if (higher.length === 0) return undefined;
  return (group) => higher.find(({ keyGroups }) => keyGroups.has(group))?.time?.watermark ?? watermark;
}
