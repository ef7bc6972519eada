/** A safeguard of the product, as data: where it stands, what stands there once it is removed, and who must notice. */
export interface Safeguard {
  /** What it is: a row of docs/safeguards.md. */
  name: string
  /** What goes wrong without it. */
  harm: string
  /** Below src/. */
  file: string
  /** As it stands in the file, exactly once. */
  code: string
  /** What stands there instead. */
  without: string
  /** One of these fails then. */
  killedBy: Witness[]
  /** Without it, that one waits for ever: not to have ended in good time is to have failed. */
  hangs?: boolean
}

export interface Witness {
  /** Below test/, without `.test.ts`. */
  file: string
  /** A part of the test's name, which begins with those of the groups that it is in. */
  test: string
}

export function witness(file: string, test: string): Witness {
  return { file, test }
}
