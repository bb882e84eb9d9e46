/** A scope of a store as a register: who has it, up to which mark it holds everything, and what a key reads as. */

import type { Specification } from "./linearize.js";

/** One of the checkpoints that are applied, and what it writes under the key. */
export interface Applied {
  readonly mark: number;
  readonly value: string;
}

/** A call of a handle, with its answer. */
export type ScopeCall =
  | { readonly kind: "open"; readonly handle: number; readonly mark: number; readonly applying?: number }
  /** An open that was not told what it found: it may have taken the scope over all the same. */
  | { readonly kind: "taken"; readonly handle: number }
  /** An apply begins to change things: from then on what it writes may be read. */
  | ({ readonly kind: "begin"; readonly handle: number } & Applied)
  /** It is whole. */
  | ({ readonly kind: "apply"; readonly handle: number } & Applied)
  | { readonly kind: "read"; readonly handle: number; readonly value: string | undefined }
  /** A call was refused with FENCED. */
  | { readonly kind: "fenced"; readonly handle: number }
  | { readonly kind: "close"; readonly handle: number };

interface Scope {
  readonly owner: number | undefined;
  readonly whole: Applied;
  /** An apply that has begun and not ended. */
  readonly begun: Applied | undefined;
}

/** The scope as the first apply leaves it, with nobody who has it open. */
export function scopeRegister(first: Applied, takeover: "fences" | "refused"): Specification<Scope, ScopeCall> {
  return {
    initial: { owner: undefined, whole: first, begun: undefined },
    step(state, call) {
      if (call.kind === "open") return opened(state, call, takeover);
      if (call.kind === "taken") return takeover === "fences" ? { ...state, owner: call.handle } : state;
      const isOwner = state.owner === call.handle;
      if (call.kind === "fenced") return isOwner ? undefined : state;
      if (!isOwner) return undefined;
      if (call.kind === "close") return takeover === "refused" ? { ...state, owner: undefined } : state;
      if (call.kind === "read") return canRead(state, call.value) ? state : undefined;
      const applied = { mark: call.mark, value: call.value };
      if (call.kind === "begin") return call.mark === state.whole.mark ? undefined : { ...state, begun: applied };
      return { ...state, whole: applied, begun: undefined };
    },
    keyOf: ({ owner, whole, begun }) => `${owner} ${whole.mark} ${begun?.mark}`,
  };
}

function opened(
  state: Scope,
  { handle, mark, applying }: Extract<ScopeCall, { kind: "open" }>,
  takeover: "fences" | "refused",
): Scope | undefined {
  if (takeover === "refused" && state.owner !== undefined) return undefined;
  if (mark !== state.whole.mark) return undefined;
  // It may turn out that nothing of what had begun is there.
  if (applying === undefined) return { ...state, owner: handle, begun: undefined };
  return applying === state.begun?.mark ? { ...state, owner: handle } : undefined;
}

function canRead({ whole, begun }: Scope, value: string | undefined): boolean {
  return value === whole.value || (begun !== undefined && value === begun.value);
}
