/** Who owns which key groups, as core takes it. */

import { KeyGroups, stickyKeyGroups } from "@tidemark/core";
import { MAX_PARALLELISM } from "../model/domains.js";
import type { JobModel } from "../model/job-model.js";
import { groupsOf, type Owners, taskCount } from "../model/key-order.js";

/** The key groups of each task. */
export function keyGroupsOf(owners: Owners): KeyGroups[] {
  return Array.from({ length: taskCount(owners) }, (_, task) =>
    KeyGroups.of(groupsOf(owners, task).map((group) => ({ first: group, last: group }))),
  );
}

/** The owners when tasks keep what they have in the running job, for each operator. */
export function stickyOwners({ contents }: JobModel, parallelism: readonly number[]): Owners[] {
  return contents.map((content, operator) => {
    const groups = stickyKeyGroups(keyGroupsOf(content.owners), parallelism[operator] ?? 1, MAX_PARALLELISM);
    const owners = Array.from({ length: MAX_PARALLELISM }, (_, group) => groups.findIndex((each) => each.has(group)));
    return owners;
  });
}
