/**
 * The names of all objects that Tidemark keeps in a checkpoint storage. No other file makes or parses one.
 *
 *   <job>/owner/<attempt>                      who may publish: the highest attempt
 *   <job>/lineage/<attempt>                    what that attempt found published when it took over
 *   <job>/published/<attempt>                  that it has published something itself
 *   <job>/checkpoint/<id>-<attempt>            a manifest
 *   <job>/segment/<attempt>-<nonce>-<count>    a segment
 *   savepoint, segment/<…>                     a savepoint has a storage of its own
 *
 * Invariants:
 * - Names are injective in what they stand for, and made of [a-z0-9._-] and `/` only, whatever a job is called.
 * - Numbers are padded to 16 digits, so that name order is number order.
 */

import { createHash } from "node:crypto";

const DIGITS = 16;
const PLAIN_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Object name of a savepoint's manifest. */
export const SAVEPOINT_MANIFEST = "savepoint";
/** Where a savepoint's segments are. */
export const SAVEPOINT_SEGMENTS = "segment/";

function padded(value: number): string {
  return String(value).padStart(DIGITS, "0");
}

function parsed(digits: string | undefined): number | undefined {
  if (digits === undefined || !/^\d{16}$/.test(digits)) return undefined;
  return Number(digits);
}

/** The place of a job. A name that is safe as it is stands for itself, any other for the SHA-256 of its UTF-16 code units. */
function jobPlace(job: string): string {
  return PLAIN_NAME.test(job) ? `n-${job}` : `h-${createHash("sha256").update(job, "utf16le").digest("hex")}`;
}

/** A manifest as its name tells it. */
export interface ManifestName {
  readonly checkpoint: number;
  readonly attempt: number;
  /** Last part of the object name. */
  readonly leaf: string;
}

export class JobNames {
  readonly owners: string;
  readonly lineages: string;
  readonly marks: string;
  readonly checkpoints: string;
  readonly segments: string;

  constructor(job: string) {
    const place = jobPlace(job);
    this.owners = `${place}/owner/`;
    this.lineages = `${place}/lineage/`;
    this.marks = `${place}/published/`;
    this.checkpoints = `${place}/checkpoint/`;
    this.segments = `${place}/segment/`;
  }

  owner(attempt: number): string {
    return this.owners + padded(attempt);
  }

  lineage(attempt: number): string {
    return this.lineages + padded(attempt);
  }

  mark(attempt: number): string {
    return this.marks + padded(attempt);
  }

  checkpoint(id: number, attempt: number): string {
    return `${this.checkpoints}${padded(id)}-${padded(attempt)}`;
  }
}

/** The attempt in an `owner`, `lineage` or `published` name; `undefined` if it is none of ours. */
export function parseAttempt(name: string, prefix: string): number | undefined {
  return parsed(name.slice(prefix.length));
}

export function parseManifestName(name: string, prefix: string): ManifestName | undefined {
  const leaf = name.slice(prefix.length);
  const [id, attempt, rest] = leaf.split("-");
  const checkpoint = parsed(id);
  const number = parsed(attempt);
  return checkpoint === undefined || number === undefined || rest !== undefined
    ? undefined
    : { checkpoint, attempt: number, leaf };
}

/** Name of a segment; also the identity that its checksums are bound to. Never used twice. */
export function segmentLeaf(attempt: number, nonce: string, count: number): string {
  return `${padded(attempt)}-${nonce}-${padded(count)}`;
}

/** The attempt that wrote a segment. */
export function segmentAttempt(leaf: string): number | undefined {
  return parsed(leaf.split("-")[0]);
}

/** Whether `leaf` can be the name of a segment; what a manifest names is not believed before. */
export function isSegmentLeaf(leaf: string): boolean {
  return /^\d{16}-[0-9a-f]{32}-\d{16}$/.test(leaf);
}
