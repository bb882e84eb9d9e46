/** What the results of the laws mean together. */

import type { AdapterHarness, Capabilities } from "./adapter-harness.js";
import { LEVELS } from "./law.js";
import type { CapabilityResult, LawResult, LevelResult, LevelStatus, Problem, Verdict } from "./report.js";

export function levelsOf(laws: readonly LawResult[]): readonly LevelResult[] {
  return LEVELS.flatMap((level) => {
    const own = laws.filter((law) => law.level === level);
    if (own.length === 0) return [];
    const passed = own.filter(({ status }) => status === "passed").length;
    const notes = own.flatMap(({ id, status, reason }) => (reason === undefined ? [] : [`${id} ${status}: ${reason}`]));
    return [{ level, status: statusOf(own), passed, total: own.length, notes }];
  });
}

/** Green only if everything of the level ran and passed. */
function statusOf(laws: readonly LawResult[]): LevelStatus {
  const has = (...statuses: LawResult["status"][]): boolean => laws.some(({ status }) => statuses.includes(status));
  if (has("failed", "stale", "expected")) return "failed";
  if (!has("passed")) return has("not run") ? "not run" : "not claimed";
  return has("not run", "not claimed") ? "incomplete" : "passed";
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly summary: string;
}

export function judge(
  laws: readonly LawResult[],
  levels: readonly LevelResult[],
  { problems, isPart }: { readonly problems: readonly Problem[]; readonly isPart: boolean },
): Judgement {
  const count = (status: LawResult["status"]): number => laws.filter((law) => law.status === status).length;
  const [failed, stale, expected, passed] = [count("failed"), count("stale"), count("expected"), count("passed")];
  const counts = `${passed} of ${laws.length} laws passed`;
  if (problems.length > 0) return { verdict: "not conformant", summary: `Not conformant: ${problems[0]?.message}` };
  if (failed + stale > 0) {
    const staleText = stale === 0 ? "" : `, ${stale} passed that were expected to fail`;
    return { verdict: "not conformant", summary: `Not conformant: ${counts}, ${failed} failed${staleText}.` };
  }
  if (isPart) return { verdict: "incomplete", summary: `Part of a run: ${counts}; it says nothing of the whole.` };
  // What is claimed of the first levels has to have been looked at; of the others it is said whether it was.
  const unseen = levels.find(({ level, status }) => status === "not run" && CORE_LEVELS.includes(level));
  if (unseen !== undefined || passed === 0) {
    return { verdict: "incomplete", summary: `Incomplete: ${counts}; ${unseen?.notes[0] ?? "nothing ran"}.` };
  }
  const green = levels.filter(({ status }) => status === "passed").map(({ level }) => level);
  const others = levels.filter(({ status }) => status !== "passed").map(({ level, status }) => `${level} ${status}`);
  const except = expected === 0 ? "" : ` with ${expected} expected failures`;
  const rest = others.length === 0 ? "" : `; ${others.join(", ")}`;
  return { verdict: "conformant", summary: `Conformant${except}: ${green.join(", ")}${rest} (${counts}).` };
}

const CORE_LEVELS: readonly string[] = ["objects", "checkpoints", "state", "features", "store"];

/** What is claimed, beside what was seen. */
export function capabilityResults(
  laws: readonly LawResult[],
  harness: AdapterHarness,
  capabilities: Required<Capabilities>,
): readonly CapabilityResult[] {
  const seen = (ids: readonly string[]): string => {
    const own = laws.filter(({ id }) => ids.includes(id));
    if (own.some(({ status }) => status === "failed" || status === "expected")) return "no";
    return own.length > 0 && own.every(({ status }) => status === "passed") ? "yes" : "not checked";
  };
  if (harness.contract === "store") {
    const fencing = laws.filter(({ clauses }) => clauses.includes("S2")).map(({ id }) => id);
    const isSeen = seen(fencing) === "yes";
    const claimed = harness.takeover ?? "fences";
    return [{ name: "takeover", claimed, observed: isSeen ? claimed : "not as claimed, or not checked" }];
  }
  const { objectBytesMax } = capabilities;
  const refusesSecond = seen(["exclusive-refuses-second"]);
  const shared = capabilities.shared
    ? seen(["one-winner-over-handles", "handles-see-each-other", "race-to-own"])
    : { yes: "refuses a second handle", no: "accepts a second handle" }[refusesSecond];
  const isLimited = Number.isFinite(objectBytesMax);
  return [
    { name: "shared", claimed: capabilities.shared ? "yes" : "no", observed: shared ?? "not checked" },
    {
      name: "durable",
      claimed: capabilities.durable ? "yes" : "no",
      observed: seen(["crash-is-real", "acknowledged-survives"]),
    },
    {
      name: "transactions",
      claimed: capabilities.transactions ? "yes" : "no",
      observed: capabilities.transactions
        ? seen(["results-with-objects", "guard-holds-off", "results-iff-published"])
        : ({ yes: "no", no: "yes" }[seen(["transactions-declared"])] ?? "not checked"),
    },
    {
      name: "objectBytesMax",
      claimed: isLimited ? String(objectBytesMax) : "no limit",
      observed:
        seen([isLimited ? "limit-told" : "bodies-kept"]) === "yes" ? "as claimed" : "not as claimed, or not checked",
    },
  ];
}
