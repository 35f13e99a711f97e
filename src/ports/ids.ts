/** Where names that must be unique come from. */
export interface Ids {
  /** `rollout` -> `rollout-k3v9x2`; lower-case letters and digits, sortable by time of creation. */
  next(prefix: string): string
}
