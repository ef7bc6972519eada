/**
 * Hearts that beat: of every network lock that a process holds. proper-lockfile keeps the beat and notices when a lock
 * is no longer ours; what it does to the disk goes through the `fs` given to it, which makes its mkdir and rmdir the
 * two atomic steps of held-directory.ts.
 */
import type { LockOptions } from 'proper-lockfile'
import type { Clock } from '../host/clock.js'
import type { Disk } from '../host/disk.js'
import { attempt, isErrno } from '../host/disk-errors.js'
import { HeldDirectory } from './held-directory.js'
import type { HeartNews, HeartRequest } from './heartbeat.js'
import { Pulse } from './pulse.js'

interface Heart {
  /** Also of a lock that was lost: its token may still be there, or its heart beat again after a long stop. */
  release(): Promise<void>
}

/** What hearts need to beat. */
export interface Body {
  disk: Disk
  clock: Pick<Clock, 'nowNs' | 'later'>
  /** proper-lockfile's `lock`. */
  lock: (file: string, options: LockOptions) => Promise<() => Promise<void>>
}

export class Hearts {
  readonly #hearts = new Map<string, Heart>()

  constructor(
    private readonly body: Body,
    private readonly tell: (news: HeartNews) => void,
  ) {}

  async answer(request: HeartRequest): Promise<boolean> {
    if (request.do === 'take') return this.#take(request)
    const heart = this.#hearts.get(request.token)
    this.#hearts.delete(request.token)
    await heart?.release()
    // What proper-lockfile has given up it does not release. Nobody else's lock has this token, so this is always right.
    await new HeldDirectory(this.body.disk, request.path).remove(request.token)
    return true
  }

  async #take({ path, token, staleMs, pulse: memory }: HeartRequest & { do: 'take' }): Promise<boolean> {
    const { disk, clock, lock } = this.body
    const held = new HeldDirectory(disk, path)
    const pulse = new Pulse(memory, staleMs, () => clock.nowNs())
    let taken = false
    let stopWatching = (): void => undefined
    const lose = (why: string): void => {
      stopWatching()
      pulse.lose()
      this.tell({ lost: token, why })
    }
    let release: () => Promise<void>
    try {
      release = await lock(token, {
        lockfilePath: held.tokenPath(token),
        realpath: false,
        retries: 0,
        stale: staleMs,
        update: staleMs / 4,
        fs: diskForProperLockfile(this.body, held, token, {
          taking: () => pulse.start(),
          taken: () => (taken = true),
          beaten: (beganNs) => pulse.beat(beganNs) || lose(TOO_LATE),
        }),
        onCompromised: ({ message }) => lose(message),
      })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === BUSY) return false
      // Stopped between the take and the first beat for so long that somebody else has taken over.
      if (taken && isErrno(error, 'ENOENT')) return false
      throw error
    }
    // A beat that hangs in a dead server never reports an error: the silence itself is the news.
    stopWatching = every(clock, staleMs / 8, () => {
      if (!pulse.isSure()) lose(TOO_LATE)
    })
    this.#hearts.set(token, {
      async release() {
        stopWatching()
        await attempt(release())
      },
    })
    return true
  }
}

function every(clock: Pick<Clock, 'later'>, ms: number, tick: () => void): () => void {
  let cancel = (): void => undefined
  let stopped = false
  const next = (): void => {
    cancel = clock.later(ms, () => {
      tick()
      if (!stopped) next()
    })
  }
  next()
  return () => {
    stopped = true
    cancel()
  }
}

const BUSY = 'EHELDBYANOTHER'
const TOO_LATE = 'no heartbeat reached the disk within the stale time'
/** How far the first beat is dated back: further than proper-lockfile dates it ahead. */
const DATED_BACK_MS = 2_000

/** What is told of a lock's life. */
interface Life {
  taking(): void
  taken(): void
  beaten(beganNs: bigint): void
}

type Callback = (error: Error | null, result?: unknown) => void

/**
 * The calls of proper-lockfile 4.1.2 on its lock: mkdir (take), stat and utimes (beat), rmdir (release). All are
 * about `<path>.held/<token>`, so a former holder can neither remove nor refresh its successor's lock.
 */
function diskForProperLockfile(
  { disk, clock }: Body,
  held: HeldDirectory,
  token: string,
  life: Life,
): object {
  const own = held.tokenPath(token)
  let lastMs: number | undefined
  const answer = (step: Promise<unknown>, callback: Callback): void => {
    step.then((result) => callback(null, result), callback)
  }
  const take = async (): Promise<void> => {
    life.taking()
    if (!(await held.take(token))) throw Object.assign(new Error('held by another'), { code: BUSY })
    life.taken()
  }
  const beat = async (time: Date): Promise<void> => {
    const beganNs = clock.nowNs()
    // proper-lockfile dates its first beat up to a second ahead, to see how exact this file system's times are. A
    // later beat that landed on that very time could not be seen by anybody; nor can it where the clock was set back.
    const ms = time.getTime() - (lastMs === undefined ? DATED_BACK_MS : 0)
    await disk.utimes(own, ms / 1000)
    if (ms !== lastMs) life.beaten(beganNs)
    lastMs = ms
  }
  return {
    mkdir: (_path: string, callback: Callback) => answer(take(), callback),
    stat: (_path: string, callback: Callback) => answer(disk.lstat(own), callback),
    utimes: (_path: string, _atime: Date, mtime: Date, callback: Callback) => answer(beat(mtime), callback),
    rmdir: (_path: string, callback: Callback) => answer(held.remove(token), callback),
  }
}
