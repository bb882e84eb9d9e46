/** A clock that a test moves by hand, whose turns end when the test says so. */

import { ManualClock } from "./manual-clock.js";

export class TurnClock extends ManualClock {
  #atTurnEnd: (() => void)[] = [];

  atTurnEnd(action: () => void): void {
    this.#atTurnEnd.push(action);
  }

  endTurn(): void {
    const actions = this.#atTurnEnd;
    this.#atTurnEnd = [];
    for (const action of actions) action();
  }
}
