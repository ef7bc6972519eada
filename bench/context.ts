/** What every group is given. */
export interface Context {
  /** An empty directory of the group's own, removed afterwards. */
  dir: string
  /** Few samples: to see that it works, not to quote. */
  quick: boolean
  /** Also what takes gigabytes: an entry of 4 GB. */
  large: boolean
  /** A line of progress. */
  say: (line: string) => void
}
