/**
 * doctor: what is so about a directory, tried and not guessed.
 *
 * Invariants:
 * - This process makes no call that could hang: probers do, and are killed after a time limit.
 * - Nothing is written but below one probing directory of a random name, and that is removed on every way out. What a
 *   doctor leaves that is killed together with its probers, gc removes.
 * - No cache is created, mended or collected by looking at it.
 */
import { dirname, join, relative, resolve } from 'node:path'
import type { DoctorReport, Finding, SecondReport } from '../core/report.js'
import { messageOf } from '../core/errors.js'
import { gateDirectory } from '../host/directories.js'
import { errnoOf, isErrno } from '../host/disk-errors.js'
import { type Host, realHost } from '../host/host.js'
import { PRIMITIVES, type PrimitiveName } from '../host/primitives.js'
import { ProberHung } from '../host/prober.js'
import { eventsFile } from '../host/settings.js'
import type { Situation } from '../host/situation.js'
import { aboutContents } from './about-cache.js'
import {
  WANT_OF_ROOM,
  aboutClock,
  aboutFailing,
  aboutHanging,
  aboutPrimitive,
  aboutPublishing,
} from './about-calls.js'
import { aboutGate, aboutLocks, aboutSecond } from './about-locks.js'
import { aboutMachine } from './about-machine.js'
import { aboutFileSystem, aboutPermissions, aboutRoom, aboutState, aboutWriting } from './about-place.js'
import { type Environment, aboutEventsFile, aboutSettings, settingsInForce } from './about-settings.js'
import type { Contents } from './contents.js'
import { findingsOf } from './finding.js'
import { NOTHING_MEASURED, compareSides } from './second.js'
import { Side, tryExisting, tryLock } from './trials.js'
import { type Party, answerOther, waitForOther } from './two-hosts.js'
import { verdictOn } from './verdict.js'

export interface ExamineOptions {
  /** The same directory through another mount; `wait` and `answer`: the two sides of a meeting of two hosts. */
  second?: string | undefined
  /** `wait`: the other one may answer now. */
  onReady?: () => void
  /** What was given as --cache. */
  flag?: string | undefined
  env?: Environment
  /** Longest wait for a single call to the file system. */
  limitMs?: number
}

/** In place of a path: see two-hosts.ts. */
export const WAIT = 'wait'
export const ANSWER = 'answer'

const NOWHERE = 'this directory is not there, or nothing can be written to it'
const NOBODY_WAITS = 'no doctor waits in this directory, as it is seen from here'

/** An NFS server that is only busy answers well within this. */
const LIMIT_MS = 20_000

export async function examine(root: string, options: ExamineOptions = {}): Promise<DoctorReport> {
  const { flag, env = process.env, second } = options
  const report: Diagnosis = {
    root,
    exists: false,
    fileSystem: null,
    locker: null,
    second: null,
    settings: settingsInForce(env, flag, root),
    findings: [],
  }
  const examination = new Examination(realHost(), report, options)
  try {
    await examination.run(root, second)
  } catch (error) {
    if (error instanceof ProberHung) report.findings.push(aboutHanging(error.message))
    else if (errnoOf(error) !== undefined) report.findings.push(aboutFailing(messageOf(error)))
    else throw error
  } finally {
    await examination.end()
  }
  report.findings.push(...aboutSettings(env, flag))
  return { schema: 1, ...report, verdict: verdictOn(report) }
}

type Diagnosis = Omit<DoctorReport, 'schema' | 'verdict'>

class Examination {
  /** Looks, and owns the probing directory. */
  readonly #main: Side
  readonly #contenders: Side[] = []
  private readonly limitMs: number
  private readonly onReady: () => void
  #scratch: string | undefined

  constructor(
    private readonly host: Host,
    private readonly report: Diagnosis,
    { limitMs = LIMIT_MS, onReady = () => undefined }: ExamineOptions,
  ) {
    this.limitMs = limitMs
    this.onReady = onReady
    this.#main = new Side('/', limitMs)
  }

  async run(root: string, second: string | undefined): Promise<void> {
    const { report } = this
    const machine = await this.#main.ask('machine')
    const situation = await this.#main.ask('lookAround', root)
    const isThere = situation.state === 'directory'
    report.fileSystem = situation.fileSystem
    if (isThere) report.root = situation.nearest
    this.#add(...aboutFileSystem(situation), ...aboutState(root, situation))
    const contents = isThere ? await this.#lookInside(situation) : null
    report.exists = contents !== null && (contents.format !== null || contents.formatError !== null)

    const refused = await this.#makeScratch(situation.nearest)
    const noRoom = WANT_OF_ROOM.find((errno) => errno === refused) ?? (await this.#tryCalls())
    this.#add(aboutRoom(situation, contents, noRoom))
    if (noRoom === null || refused === null) this.#add(aboutWriting(refused, report.exists))
    await this.#tryLocks(situation, contents)
    if (contents) this.#add(...aboutContents(contents))
    this.#add(...aboutMachine(machine))
    const events = eventsFile()
    if (events)
      this.#add(...aboutEventsFile(events, await this.#main.ask('lookAround', dirname(resolve(events)))))
    if (second !== undefined) await this.#trySecond(second, situation)
  }

  /** Whatever happened: the probing directory goes, or is named. */
  async end(): Promise<void> {
    await Promise.all(this.#contenders.map((side) => side.kill()))
    if (this.#scratch !== undefined) {
      try {
        await this.#main.ask('remove', this.#scratch)
      } catch {
        const advice = `Remove it by hand, or with 'cachelatch gc': ${this.#scratch}`
        this.#add(findingsOf('calls').warning('left', 'probing directory', 'could not be removed', advice))
      }
    }
    await this.#main.dismiss()
  }

  async #lookInside(situation: Situation): Promise<Contents | null> {
    try {
      this.#add(...aboutPermissions(await this.#main.ask('permissions', situation.nearest), situation))
      return await this.#main.ask('contents', situation.nearest)
    } catch (error) {
      // Not even reading is allowed: what can be known, is.
      if (!isErrno(error, 'EACCES', 'EPERM', 'ENOTDIR')) throw error
      return null
    }
  }

  /** Resolves to the errno with which it was refused. */
  async #makeScratch(directory: string): Promise<string | null> {
    try {
      this.#scratch = await this.#main.ask('makeScratch', directory)
      return null
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === undefined) throw error
      return errno
    }
  }

  /** Resolves to the errno of what there was no room for. */
  async #tryCalls(): Promise<string | null> {
    if (this.#scratch === undefined) return null
    let noRoom: string | null = null
    for (const name of Object.keys(PRIMITIVES) as PrimitiveName[]) {
      const trial = await this.#main.ask('tryPrimitive', name, this.#scratch)
      const finding = aboutPrimitive(name, trial)
      if (finding) this.#add(finding)
      else noRoom = trial.can ? null : trial.errno
    }
    if (noRoom === null) {
      this.#add(aboutPublishing(await this.#main.ask('timePublish', this.#scratch)))
      this.#add(aboutClock(await this.#main.ask('clockSkew', this.#scratch)))
    }
    return noRoom
  }

  async #tryLocks({ nearest }: Situation, contents: Contents | null): Promise<void> {
    const scratch = this.#scratch
    const { kind, reason } = await this.#main.ask('choose', nearest, scratch ?? null)
    const recorded = contents?.format?.locker ?? null
    const sides = this.#sides(scratch ?? nearest)
    const nothing = { excludes: null, reason: 'nothing can be written here', freedByDeath: null }
    const kernel = scratch
      ? await tryLock(this.host, 'kernel', 'kernel', sides)
      : await tryExisting(nearest, sides)
    const lockfile = scratch ? await tryLock(this.host, 'lockfile', 'lockfile', sides) : nothing
    this.report.locker = { chosen: kind, reason, recorded, kernel, lockfile }
    this.#add(...aboutLocks(this.report.locker, contents))
    if ((recorded ?? kind) === 'lockfile') {
      const gates = dirname(gateDirectory())
      this.#add(aboutGate(await this.#main.ask('lookAround', gates), gates))
    }
  }

  async #trySecond(second: string, here: Situation): Promise<void> {
    const { locker } = this.report
    const isHere = here.state === 'directory' && this.#scratch !== undefined
    const report =
      second === WAIT || second === ANSWER
        ? await this.#meetOther(second, isHere, here)
        : await this.#tryPath(second, isHere, here)
    this.report.second = report
    // Where there is no cache yet, whoever comes first decides for all, from either side.
    const first = [locker?.chosen, report.chosenThere].includes('kernel') ? 'kernel' : locker?.chosen
    this.#add(...aboutSecond(report, locker?.recorded ?? first ?? null))
  }

  async #tryPath(path: string, isHere: boolean, here: Situation): Promise<SecondReport> {
    const there = await this.#main.ask('lookAround', path)
    if (!isHere || there.state !== 'directory') {
      const reason = isHere ? `${path} is no directory` : NOWHERE
      return { ...NOTHING_MEASURED, path, reason }
    }
    const sides = this.#sides(this.#scratch!, join(there.nearest, relative(here.nearest, this.#scratch!)))
    const [a, b] = [here.fileSystem, there.fileSystem]
    return compareSides(this.host, {
      path,
      sides,
      chosenThere: (await this.#main.ask('choose', there.nearest, null)).kind,
      sameMount: a.mountPoint !== null && a.mountPoint === b.mountPoint,
      local: a.locality === 'local' && b.locality === 'local',
    })
  }

  async #meetOther(
    role: typeof WAIT | typeof ANSWER,
    isHere: boolean,
    here: Situation,
  ): Promise<SecondReport> {
    const nobody = { ...NOTHING_MEASURED, path: 'another host' }
    if (!isHere) return { ...nobody, reason: NOWHERE }
    const place = role === WAIT ? this.#scratch! : await this.#main.ask('findWaiting', here.nearest)
    if (place === null) return { ...nobody, sameDirectory: false, reason: NOBODY_WAITS }
    const [kernel, lockfile] = this.#sides(place)
    const [talker] = this.#sides(place)
    const name = `${this.host.processes.asOwner(0).host}:${here.nearest}`
    const chosen = this.report.locker!.chosen
    const isLocal = here.fileSystem.locality === 'local'
    const party: Party = { name, chosen, isLocal, kernel, lockfile, talker }
    return role === WAIT ? waitForOther(this.host, party, this.onReady) : answerOther(this.host, party)
  }

  #sides(first: string, second = first): [Side, Side] {
    const sides: [Side, Side] = [new Side(first, this.limitMs), new Side(second, this.limitMs)]
    this.#contenders.push(...sides)
    return sides
  }

  #add(...findings: Finding[]): void {
    this.report.findings.push(...findings)
  }
}
