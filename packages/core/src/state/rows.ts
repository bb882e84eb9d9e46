/** What handles need of the table of their state: the table itself, or the table seen through a time to live. */

import type { ListTable } from "../table/list-table.js";
import type { MapTable } from "../table/map-table.js";
import type { ValueTable } from "../table/value-table.js";

export type ValueRows = Pick<ValueTable, "get" | "peek" | "put" | "remove"> & Identities;
export type ListRows = Pick<ListTable, "get" | "peek" | "append" | "replace"> & Identities;
export type MapRows = Pick<MapTable, "get" | "put" | "putAll" | "remove" | "clear" | "isEmpty" | "entries"> &
  Identities;

interface Identities {
  /** Identities of the present keys, by key group, ascending by encoded key, as they are now. */
  identities(): ReturnType<ValueTable["identities"]>;
}
