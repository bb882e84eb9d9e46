/** One trial for each side, then again for each side: A B A B. So a slow minute of the machine hits both sides. */
export function takeTurns<Side, Trial>(
  sides: readonly Side[],
  repetitions: number,
  trialOf: (side: Side, repetition: number) => Trial,
): Trial[] {
  return Array.from({ length: repetitions }, (_, repetition) => sides.map((side) => trialOf(side, repetition))).flat();
}
