/** Work that is done side by side, and has one step that is taken in turn. */
import pMap from 'p-map'

export interface Turn {
  /** Resolves when all before have had theirs; `false`: one of them failed, and the step is not to be taken. */
  mine: Promise<boolean>
  /** The step is taken: the next one may, while this one still cleans up. */
  taken: () => void
}

/** Up to `concurrency` at a time, begun in order. @param work resolves to whether those after it may take their step */
export async function inTurn<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, turn: Turn) => Promise<boolean>,
): Promise<void> {
  let last = Promise.resolve(true)
  let stopped = false
  const begin = async (item: T): Promise<void> => {
    const mine = last
    let pass!: (well: boolean) => void
    last = new Promise((resolve) => (pass = resolve))
    let went = false
    try {
      went = !stopped && (await work(item, { mine, taken: () => pass(true) })) && (await mine)
    } finally {
      stopped ||= !went
      pass(went)
    }
  }
  await pMap(items, begin, { concurrency })
}
