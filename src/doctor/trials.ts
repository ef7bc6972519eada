/**
 * Two real processes, and what is so between them: through one mount, or through two. Nothing here knows what should
 * come out.
 */
import { messageOf } from '../core/errors.js'
import type { LockTrial } from '../core/report.js'
import { errnoOf } from '../host/disk-errors.js'
import { Prober } from '../host/prober.js'
import type { Host } from '../host/host.js'
import type { LockKind, RaceKind } from './contender.js'
import type { ProberCommands } from './prober-process.js'

const PROBER = new URL('./prober-process.js', import.meta.url)
/** For the kernel to let go of what a killed process held: measured 4 ms; a FUSE process may be busy. */
const MAX_FREEING_MS = 2_000
const POLL_MS = 10
const NAMES_PER_RACE = 64
/** A name that nobody has looked for before is asked of the server: what is not there then is another directory. */
const MAX_HIDDEN_MS = 10_000
const LOOK_MS = 1_000

/** One process, and the directory as it sees it. A process that hung, or was killed, is replaced by the next `ask`. */
export class Side {
  #prober: Prober<ProberCommands> | undefined

  constructor(
    readonly directory: string,
    private readonly limitMs: number,
  ) {}

  ask<N extends keyof ProberCommands>(
    command: N,
    ...args: Parameters<ProberCommands[N]>
  ): Promise<Awaited<ReturnType<ProberCommands[N]>>> {
    if (!this.#prober?.isAlive) this.#prober = new Prober<ProberCommands>(PROBER, this.limitMs)
    return this.#prober.ask(command, ...args)
  }

  async kill(): Promise<void> {
    await this.#prober?.kill()
  }

  async dismiss(): Promise<void> {
    await this.#prober?.dismiss()
  }
}

const unmeasured = (reason: string): LockTrial => ({ excludes: null, reason, freedByDeath: null })

/** @param name of a lock that nobody else knows, below both directories */
export async function tryLock(
  { clock }: Host,
  kind: LockKind,
  name: string,
  [a, b]: [Side, Side],
): Promise<LockTrial> {
  const [pathOfA, pathOfB] = [`${a.directory}/${name}`, `${b.directory}/${name}`]
  const excludes = (verdict: boolean): LockTrial => ({ excludes: verdict, reason: null, freedByDeath: null })
  try {
    if (!(await a.ask('take', kind, pathOfA))) return unmeasured('it cannot be taken, though nobody holds it')
    if (await b.ask('take', kind, pathOfB)) return excludes(false)
    await a.ask('letGo')
    // Without this, a lock that can never be taken from there would count as one that excludes.
    if (!(await b.ask('take', kind, pathOfB))) return unmeasured('it is not free after it was released')
    if (await a.ask('take', kind, pathOfA)) return excludes(false)
    if (kind === 'lockfile') return excludes(true)
    await b.kill()
    return { ...excludes(true), freedByDeath: await soon(clock, () => a.ask('take', kind, pathOfA)) }
  } catch (error) {
    return unmeasured(messageOf(error))
  } finally {
    await Promise.all([a.kill(), b.kill()])
  }
}

/** Where nothing can be written: flock on the directory itself, by two processes. */
export async function tryExisting(directory: string, [a, b]: [Side, Side]): Promise<LockTrial> {
  try {
    if (!(await a.ask('holdExisting', directory))) return unmeasured('another process holds the directory')
    const excludes = !(await b.ask('holdExisting', directory))
    return { excludes, reason: null, freedByDeath: null }
  } catch (error) {
    return unmeasured(messageOf(error))
  } finally {
    await Promise.all([a.kill(), b.kill()])
  }
}

/** At which names somebody was the first, by the way in which it was tried. */
export type Races = Record<RaceKind, number[]>

export async function raceAll(side: Side): Promise<Races> {
  const race = (kind: RaceKind): Promise<number[]> => side.ask('race', kind, side.directory, NAMES_PER_RACE)
  return { create: await race('create'), mkdir: await race('mkdir'), rename: await race('rename') }
}

/** Whether of two that wanted the same name exactly one got it, every time and in each of the ways. */
export function exactlyOneWon(a: Races, b: Races): boolean {
  return (Object.keys(a) as RaceKind[]).every((kind) => {
    const winners = [...a[kind], ...b[kind]]
    return winners.length === NAMES_PER_RACE && new Set(winners).size === NAMES_PER_RACE
  })
}

/** How long until B sees what A has made: a new name, then another file under it. `null`: not within the limit. */
export async function timeVisibility(
  { clock }: Host,
  [a, b]: [Side, Side],
): Promise<{ newNameMs: number | null; replacedFileMs: number | null }> {
  const appear = async (text: string): Promise<number | null> => {
    await a.ask('write', `${a.directory}/draft`, text)
    await a.ask('rename', `${a.directory}/draft`, `${a.directory}/seen`)
    const started = clock.now()
    do if (await b.ask('sees', `${b.directory}/seen`, text, LOOK_MS)) return clock.now() - started
    while (clock.now() - started < MAX_HIDDEN_MS)
    return null
  }
  // What starting the process takes is no part of it.
  await b.ask('machine')
  // Of no bytes: a full disk has room for that.
  const newNameMs = await appear('')
  const replacedFileMs = newNameMs === null ? null : await appear('another').catch(unlessOfDisk)
  return { newNameMs, replacedFileMs }
}

/** What the disk refuses is not measured; anything else is no finding. */
export function unlessOfDisk(error: unknown): null {
  if (errnoOf(error) === undefined) throw error
  return null
}

async function soon(clock: Host['clock'], look: () => Promise<boolean>): Promise<boolean> {
  const end = clock.now() + MAX_FREEING_MS
  while (clock.now() < end) {
    if (await look()) return true
    await clock.sleep(POLL_MS)
  }
  return false
}
