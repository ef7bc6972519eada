/** What is done while the disk fails: arranged on a healthy one, done once, and looked at on a healthy one again. */
import type { LatchErrorCode } from '../../src/index.js'
import type { Fault } from './faults.js'
import type { Setting } from './world.js'

export interface Operation {
  name: string
  /** In a word, all the ways in which it may go well: also with a fault, where it is none of its business. */
  goesWell: readonly string[]
  /**
   * What else may become of it. `error`: a LatchError with the fault's code, or one of `codes`. Otherwise the word for
   * what it does instead.
   */
  orElse: string
  codes?: readonly LatchErrorCode[]
  setting?: Pick<Setting, 'withoutNative'>
  /** Whether calls on the temporary directory fail as well. */
  needsTemporary?: boolean
  /**
   * What other processes have left: made once, and laid out for each case.
   * @param root an empty directory; `<root>/cache` is the cache, if there is one
   */
  before?: (root: string) => Promise<unknown>
  /** What this process does first. @param root where `before` has been */
  arrange(root: string): Promise<Arranged>
}

export interface Arranged {
  /** @returns how it ended, in a word */
  act: () => Promise<string>
  /** What must be so afterwards, however it ended. @throws what is not */
  check: (ended: Ended, fault: Fault | null) => void | Promise<void>
}

export type Ended = { outcome: string; error?: undefined } | { outcome: 'error'; error: unknown }
