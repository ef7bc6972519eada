/**
 * The same between two hosts, or two containers, one doctor in each. They talk through files in the waiting one's probing directory, each
 * written whole under a name of its own; that the other finds them proves that the directory is the same.
 *
 *   waiting: takes both locks, says `held`        answering: hears it, tries both, says `tried`
 *   waiting: lets go, says `free`                 answering: hears it, says `heard` at once
 *   both race for names                           answering: takes both locks, says `taken`
 *   waiting: tries both, says `done`              answering: hears what came out, says `bye`
 */
import { messageOf } from '../core/errors.js'
import type { LockTrial, SecondReport } from '../core/report.js'
import type { Host } from '../host/host.js'
import type { LockKind } from './contender.js'
import { NOTHING_MEASURED } from './second.js'
import { type Races, type Side, exactlyOneWon, raceAll } from './trials.js'

/** For somebody to walk over to the other host. */
const MAX_WAITING_MS = 10 * 60_000
/** From one step of the other's to the next: a lock is tried in seconds, a new name seen within a minute (nfs(5)). */
const MAX_STEP_MS = 120_000
const LOOK_MS = 1_000

/** One process for each lock, because each holds one, and one to talk. */
export interface Party {
  /** `host:directory`, for people. */
  name: string
  /** What a cache would get that is opened first from here. */
  chosen: string
  isLocal: boolean
  kernel: Side
  lockfile: Side
  talker: Side
}

/** `true`: got it; `false`: refused; a text: why it could not even be tried. */
type Try = boolean | string
type Tries = Record<LockKind, Try>

type Introduction = Pick<Party, 'name' | 'chosen' | 'isLocal'> & { tries: Tries }

interface Messages {
  held: Introduction
  tried: Introduction
  free: true
  heard: true
  taken: { tries: Tries; races: Races }
  done: SecondReport
  bye: true
}

const SILENCE = { ...NOTHING_MEASURED, path: 'another host' }

/** @param onReady called when somebody may answer */
export async function waitForOther(host: Host, party: Party, onReady: () => void): Promise<SecondReport> {
  const other = new Talk(host.clock, party.talker, true)
  const { name, chosen, isLocal } = party
  const held = await tryBoth(party)
  await other.say('held', { name, chosen, isLocal, tries: held })
  onReady()
  const tried = await other.hear('tried', MAX_WAITING_MS)
  if (tried === null) return { ...SILENCE, reason: 'nobody has answered within ten minutes' }
  await letGo(party)
  const started = host.clock.now()
  await other.say('free', true)
  const heard = await other.hear('heard', MAX_STEP_MS)
  const newNameMs = heard === null ? null : host.clock.now() - started
  const races = await raceAll(party.talker)
  const taken = await other.hear('taken', MAX_STEP_MS)
  const back = await tryBoth(party)
  const kernel = judge(held.kernel, tried.tries.kernel, taken?.tries.kernel, back.kernel)
  const lockfile = judge(held.lockfile, tried.tries.lockfile, taken?.tries.lockfile, back.lockfile)
  const found: SecondReport = {
    ...NOTHING_MEASURED,
    path: tried.name,
    sameDirectory: true,
    kernel,
    lockfile,
    firstWins: taken && exactlyOneWon(races, taken.races),
    newNameMs,
    chosenThere: tried.chosen,
    // Two local file systems that are one directory have one kernel (two containers), and it lets go of what the dead held.
    right: kernel.excludes && isLocal && tried.isLocal ? 'kernel' : lockfile.excludes ? 'lockfile' : null,
  }
  await other.say('done', { ...found, path: name, chosenThere: chosen })
  // The probing directory goes when this ends, and `done` with it.
  await other.hear('bye', MAX_STEP_MS)
  return found
}

export async function answerOther(host: Host, party: Party): Promise<SecondReport> {
  const other = new Talk(host.clock, party.talker, false)
  const { name, chosen, isLocal } = party
  const gone: SecondReport = { ...SILENCE, reason: 'the doctor that waited has gone' }
  const held = await other.hear('held', LOOK_MS)
  if (held === null) return gone
  await other.say('tried', { name, chosen, isLocal, tries: await tryBoth(party) })
  await letGo(party)
  if ((await other.hear('free', MAX_STEP_MS)) === null) return gone
  await other.say('heard', true)
  const races = await raceAll(party.talker)
  await other.say('taken', { tries: await tryBoth(party), races })
  const found = await other.hear('done', MAX_STEP_MS)
  if (found) await other.say('bye', true)
  return found ?? gone
}

class Talk {
  readonly #directory: string

  constructor(
    private readonly clock: Host['clock'],
    private readonly side: Side,
    private readonly owns: boolean,
  ) {
    this.#directory = side.directory
  }

  async say<N extends keyof Messages>(name: N, message: Messages[N]): Promise<void> {
    const path = `${this.#directory}/${name}`
    await this.side.ask('write', `${path}.draft`, JSON.stringify(message))
    await this.side.ask('rename', `${path}.draft`, path)
  }

  /** `null`: nothing came within the limit. */
  async hear<N extends keyof Messages>(name: N, limitMs: number): Promise<Messages[N] | null> {
    const end = this.clock.now() + limitMs
    for (;;) {
      const text = await this.side.ask('hears', `${this.#directory}/${name}`, LOOK_MS)
      if (text !== null) return JSON.parse(text) as Messages[N]
      if (this.clock.now() > end) return null
      // Or somebody's gc would take it for one that a crash has left.
      if (this.owns) await this.side.ask('touch', this.#directory)
    }
  }
}

async function tryBoth({ kernel, lockfile }: Party): Promise<Tries> {
  return { kernel: await tryOne(kernel, 'kernel'), lockfile: await tryOne(lockfile, 'lockfile') }
}

async function tryOne(side: Side, kind: LockKind): Promise<Try> {
  try {
    return await side.ask('take', kind, `${side.directory}/hosts-${kind}`)
  } catch (error) {
    return messageOf(error)
  }
}

async function letGo({ kernel, lockfile }: Party): Promise<void> {
  await Promise.all([kernel.ask('letGo'), lockfile.ask('letGo')])
}

/** First held here and tried there; then free here and taken there; then tried here. */
function judge(held: Try, tried: Try, taken: Try | undefined, back: Try): LockTrial {
  const trial = (excludes: boolean | null, reason: string | null): LockTrial => ({
    excludes,
    reason,
    freedByDeath: null,
  })
  const failure = [held, tried, taken, back].find((each) => typeof each === 'string')
  if (failure !== undefined) return trial(null, failure)
  if (!held) return trial(null, 'it cannot be taken, though nobody holds it')
  if (tried) return trial(false, null)
  if (!taken) return trial(null, 'it could not be taken there after it was released here')
  return trial(!back, null)
}
