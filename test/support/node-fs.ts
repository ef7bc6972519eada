/**
 * Every call that this process makes to a file system, by whichever way: the library's `Disk` in the calling thread and
 * in the pool, its lock files, fs-extra, write-file-atomic, Node's own streams. Each can be made to fail.
 *
 * Node's own module is patched, once, when this is loaded: so it must be imported before what is to be watched. While
 * nobody decides, nothing is different but a function call more.
 */
import fs from 'node:fs'
import { constants as osConstants } from 'node:os'
import { syncBuiltinESMExports } from 'node:module'
import type { Native } from '../../src/host/native.js'

/** `after`: carried out, and reported as failed. `short`: fewer bytes than asked for, and no error. */
export interface Failure {
  errno: string
  when: 'before' | 'after' | 'short'
}

/** Asked before every call on what was opened, or lies, below one of the regions. `null`: it is left alone. */
type Decide = (name: string) => Failure | null

/** With a `Sync` variant and one with a callback, which fails in the same way. */
export const NAMES = [
  'access',
  'chmod',
  'chown',
  'close',
  'copyFile',
  'fstat',
  'fsync',
  'link',
  'lstat',
  'lutimes',
  'mkdir',
  'mkdtemp',
  'open',
  'read',
  'readdir',
  'readlink',
  'realpath',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'statfs',
  'symlink',
  'unlink',
  'write',
]

type Call = (...args: unknown[]) => unknown
type Callback = (error: Error | null, ...results: unknown[]) => void

let decide: Decide | null = null
let regions: readonly string[] = []
const descriptors = new Set<unknown>()

export interface Observer {
  /** Counts the calls that it was told of. */
  readonly now: number
  /**
   * Told of every call that was carried out, wherever, with what it returned or called back with; of close(2) as soon
   * as it begins: the number of the descriptor may be another's before it is reported.
   * @param began what `now` was when the call began
   */
  observe(name: string, args: readonly unknown[], result: unknown, began: number): void
}

let observer: Observer | null = null

/** Until `null` is set again. */
export function observeWith(other: Observer | null): void {
  observer = other
}

/** Until `null` is set again. */
export function decideOn(below: readonly string[], decision: Decide | null): void {
  regions = below
  decide = decision
}

/** The calls that are not Node's, as if they were. */
export function watched(native: Native): Native {
  return {
    flock: (fd, mode) => synchronously('flock', () => native.flock(fd, mode), [fd]),
    funlock: (fd) => synchronously('flock', () => native.funlock(fd), [fd]),
    openNoLinks: (path) => openedNoLinks(native, path),
    exchange: (a, b) => synchronously('renameat2', () => native.exchange(a, b), [a, b]),
  }
}

/** It reports no error: whoever is given `null` looks in another way. What was not opened is told to no observer. */
function openedNoLinks(native: Native, path: string): number | null {
  const open = (): number => {
    const fd = native.openNoLinks(path)
    if (fd === null) throw new Error('not opened')
    return fd
  }
  try {
    return synchronously('open', open, [path, fs.constants.O_RDONLY])
  } catch {
    return null
  }
}

/** Runs `work` as somebody whose calls are not meant: the caller's own code, a build. */
export function aside<T>(work: () => T): T {
  const meant = decide
  decide = null
  try {
    return work()
  } finally {
    decide = meant
  }
}

let inFlight = 0
/** From one call to the next, a promise or two. */
const QUIET_TURNS = 3

/** Resolves once nothing is on its way to a disk: what was begun and not waited for has ended. */
export async function isQuiet(): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS; quiet = inFlight === 0 ? quiet + 1 : 0)
    await new Promise<void>((resolve) => void setImmediate(resolve))
}

function concerns(args: readonly unknown[]): boolean {
  if (descriptors.has(args[0])) return true
  return args
    .slice(0, 2)
    .some(
      (arg) => typeof arg === 'string' && (isThrough(arg) || regions.some((each) => arg.startsWith(each))),
    )
}

/** What a descriptor names: `/proc/self/fd/21/name`. */
const isThrough = (path: string): boolean =>
  descriptors.has(Number(/^\/proc\/self\/fd\/(\d+)/.exec(path)?.[1]))

const failureFor = (name: string, args: readonly unknown[]): Failure | null =>
  decide !== null && concerns(args) ? decide(creates(name, args) ? 'create' : name) : null

/** Opening what is there needs neither space nor permission to write. */
function creates(name: string, [, flags]: readonly unknown[]): boolean {
  if (name !== 'open') return false
  return typeof flags === 'number' ? (flags & fs.constants.O_CREAT) !== 0 : flags === 'w'
}

function errorOf({ errno }: Failure, name: string, args: readonly unknown[]): Error {
  const number = -(osConstants.errno as Record<string, number>)[errno]!
  const error = new Error(`${errno}: made by a test, ${name} '${String(args[0])}'`)
  return Object.assign(error, { code: errno, errno: number, syscall: name, path: args[0] })
}

function synchronously<T>(name: string, call: (...args: unknown[]) => T, args: unknown[]): T {
  const isOurs = concerns(args)
  const failure = failureFor(name, args)
  if (failure?.when === 'short') return call(...shortened(args))
  // close(2) frees the descriptor, whatever it reports.
  if (failure?.when === 'before' && name !== 'close') throw errorOf(failure, name, args)
  const began = observer?.now ?? 0
  if (name === 'close') keepCount(name, args, undefined, isOurs, began)
  const result = call(...args)
  if (name !== 'close') keepCount(name, args, result, isOurs, began)
  if (failure === null) return result
  if (name === 'open') fs.closeSync(result as number)
  throw errorOf(failure, name, args)
}

function byCallback(name: string, call: Call, given: unknown[]): unknown {
  const callback: Callback = (...results) => {
    inFlight--
    ;(given.at(-1) as Callback)(...results)
  }
  inFlight++
  const args = given.slice(0, -1)
  const isOurs = concerns(args)
  const failure = failureFor(name, args)
  if (failure?.when === 'short') return call(...shortened(args), callback)
  const fail = (): void => callback(errorOf(failure!, name, args))
  if (failure?.when === 'before' && name !== 'close') return void setImmediate(fail)
  const began = observer?.now ?? 0
  if (name === 'close') keepCount(name, args, undefined, isOurs, began)
  return call(...args, (error: Error | null, ...results: unknown[]) => {
    if (error === null && name !== 'close') keepCount(name, args, results[0], isOurs, began)
    if (error !== null || failure === null) return callback(error, ...results)
    if (name === 'open') fs.closeSync(results[0] as number)
    fail()
  })
}

async function byPromise(name: string, call: Call, args: unknown[]): Promise<unknown> {
  const failure = failureFor(name, args)
  if (failure?.when === 'before') throw errorOf(failure, name, args)
  const result = await call(...args)
  if (failure !== null) throw errorOf(failure, name, args)
  return result
}

function keepCount(
  name: string,
  args: readonly unknown[],
  result: unknown,
  isOurs: boolean,
  began: number,
): void {
  if (name === 'open' && isOurs) descriptors.add(result)
  if (name === 'close') descriptors.delete(args[0])
  observer?.observe(name, args, result, began)
}

/** `(fd, buffer, offset, length, position)` with half the length; at least one byte: none would be the end of a file. */
function shortened(args: readonly unknown[]): unknown[] {
  const [fd, bytes, offset = 0, length, ...rest] = args
  if (typeof bytes === 'string') return [fd, bytes.slice(0, Math.ceil(bytes.length / 2)), ...args.slice(2)]
  const whole = (length as number | undefined) ?? (bytes as Uint8Array).byteLength
  return [fd, bytes, offset, Math.ceil(whole / 2), ...rest]
}

function patch(): void {
  const module = fs as unknown as Record<string, Call>
  const replace = (holder: Record<string, Call>, key: string, by: (original: Call) => Call): void => {
    const original = holder[key]!
    // promisify() finds there what a call resolves to.
    const known = Object.getOwnPropertyDescriptors(original)
    holder[key] = Object.defineProperties(by(original), known)
  }
  for (const name of NAMES) {
    replace(
      module,
      `${name}Sync`,
      (original) =>
        (...args) =>
          synchronously(name, original, args),
    )
    replace(
      module,
      name,
      (original) =>
        (...args) =>
          typeof args.at(-1) === 'function' ? byCallback(name, original, args) : original(...args),
    )
  }
  const promises = fs.promises as unknown as Record<string, Call>
  replace(
    promises,
    'mkdtemp',
    (original) =>
      (...args) =>
        byPromise('mkdtemp', original, args),
  )
  syncBuiltinESMExports()
}

patch()
