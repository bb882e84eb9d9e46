/** Whose fault it is that something cannot be tested, in a sentence that a person can act on. */

/** Who has to change something. */
export type Culprit = "adapter" | "harness" | "installation" | "kit";

/** A fault that is not the breach of a law: it names the one who has to mend it. */
export class Blame extends Error {
  override readonly name = "Blame";
  readonly culprit: Culprit;

  constructor(culprit: Culprit, message: string, options?: ErrorOptions) {
    super(message, options);
    this.culprit = culprit;
  }
}

/** One line about an error, whatever was thrown. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return `${typeof error} ${String(error)}`;
  const code = (error as { readonly code?: unknown }).code;
  return `${error.name}${typeof code === "string" ? ` ${code}` : ""}: ${error.message}`;
}
