/** An object of a storage as a register: absent, or the bytes that the one who created it has given. */

import type { Specification } from "./linearize.js";

/** A call on one name, with its answer. */
export type ObjectCall =
  /** `result` is absent where nobody was told. */
  | { readonly kind: "create"; readonly body: string; readonly result?: "created" | "exists" }
  /** What was read; absent for an absent object. */
  | { readonly kind: "read"; readonly body?: string }
  /** Whether a listing had the name. */
  | { readonly kind: "listed"; readonly isThere: boolean }
  | { readonly kind: "remove" };

/** The bytes, or `undefined` where the object is absent. */
type Content = { readonly body: string | undefined };

const ABSENT: Content = { body: undefined };

export const OBJECT_REGISTER: Specification<Content, ObjectCall> = {
  initial: ABSENT,
  step(state, call) {
    const isAbsent = state.body === undefined;
    switch (call.kind) {
      case "create":
        if (call.result !== undefined && isAbsent !== (call.result === "created")) return undefined;
        return isAbsent ? { body: call.body } : state;
      case "read":
        return call.body === state.body ? state : undefined;
      case "listed":
        return call.isThere === !isAbsent ? state : undefined;
      case "remove":
        return ABSENT;
    }
  },
  keyOf: ({ body }) => body ?? "absent",
};
