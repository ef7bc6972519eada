/**
 * strace(1) attached to threads of a process that is there already: so Node's own start is not counted, and an n-th
 * call of a name is that of one thread. Helpers that the process starts, such as flock(1), are not followed: they
 * change nothing on disk, and what becomes of them when the process dies is the kernel's affair.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { once } from 'node:events'

/**
 * All that changes what others see: files, and locks, also by closing what has one. `?`: not on every architecture.
 * Reading is left out: killed before it is killed after the change that went before it.
 */
const CHANGING = `
  openat close flock write pwrite64 writev ftruncate fallocate ioctl fsync fdatasync
  rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir
  chmod fchmod fchmodat chown fchown lchown fchownat utimensat copy_file_range sendfile`
  .trim()
  .split(/\s+/)
  .map((name) => `?${name}`)

export interface Call {
  /** By its number in the order in which the process has started its threads: 0 is the main thread. */
  thread: number
  name: string
  /** Among all calls of this name in this thread since strace was attached. */
  nth: number
  /** `0 rename stage/TOKEN entries/hh/ID #1`: what it is, in every run. */
  place: string
}

/** Thread ids in the order of their creation. */
export function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .map(Number)
    .sort((a, b) => a - b)
}

export interface Tracer {
  /** Detaches, or waits until the process that it was attached to is gone. */
  end(): Promise<void>
}

/** Writes all changing calls of all threads to `log`. */
export function record(pid: number, log: string): Promise<Tracer> {
  return attach(['-f', '-p', String(pid), '-e', `trace=${CHANGING.join(',')}`], log)
}

/** Sends SIGKILL at the entry of the n-th call, which the kernel then does not carry out. */
export function killAt(pid: number, { thread, name, nth }: Call, log: string): Promise<Tracer> {
  const tid = String(threadsOf(pid)[thread])
  return attach(['-p', tid, '-e', `trace=${name}`, '-e', `inject=${name}:signal=KILL:when=${nth}`], log)
}

async function attach(args: string[], log: string): Promise<Tracer> {
  // -y: paths beside descriptors. -s 0: no contents.
  const strace = spawn('strace', ['-y', '-s', '0', '-o', log, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exit = once(strace, 'exit')
  await saysThatItIsAttached(strace)
  return {
    async end() {
      strace.kill('SIGINT')
      await exit
    },
  }
}

/** Said once every thread is seized and interrupted: none of them runs an instruction more unseen. */
function saysThatItIsAttached(strace: ChildProcess): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    strace.stderr!.on('data', (text: Buffer) => {
      said += String(text)
      if (said.includes('attached')) resolve()
    })
    strace.once('close', () => reject(new Error(`strace could not be attached: ${said}`)))
  })
}

/** What changes something in `directories`, in the order in which the calls began. */
export function readRecord(log: string, directories: string[], threads: number[]): Call[] {
  const numbers = new Map(threads.map((tid, thread) => [String(tid), new Numbers(thread, directories)]))
  const calls: Call[] = []
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, tid = '', text = ''] = /^(\d+) +(\w+\(.*)$/.exec(line) ?? []
    // Not one of ours: a helper that the process has started.
    const call = numbers.get(tid)?.next(text)
    if (call && changes(text, call.place)) calls.push(call)
  }
  return calls
}

/** Where the process died: the last call in `log`. `null`: it made none. */
export function placeOfDeath(log: string, directories: string[], thread: number): string | null {
  const numbers = new Numbers(thread, directories)
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /^\w+\(/.test(line))
    .map((text) => numbers.next(text))
  return calls.at(-1)?.place ?? null
}

/** Numbers the calls of one thread. */
class Numbers {
  readonly #names = new Map<string, number>()
  readonly #places = new Map<string, number>()

  constructor(
    readonly thread: number,
    readonly directories: string[],
  ) {}

  next(text: string): Call {
    const name = text.slice(0, text.indexOf('('))
    // What the call returned is not there when it is the one at which the process died.
    const [asked = ''] = text.split(/\) += /)
    const about = `${this.thread} ${name} ${pathsIn(asked, this.directories).join(' ')}`
    const place = `${about} #${count(this.#places, about)}`
    return { thread: this.thread, name, nth: count(this.#names, name), place }
  }
}

function count(counts: Map<string, number>, name: string): number {
  const next = (counts.get(name) ?? 0) + 1
  counts.set(name, next)
  return next
}

/** What holds a lock by being open. */
const LOCKED = /(?:\.lock|stage\/TOKEN|MANIFEST\.json) #/

function changes(text: string, place: string): boolean {
  if (!place.includes('/')) return false
  if (text.startsWith('openat(')) return text.includes('O_CREAT')
  return !text.startsWith('close(') || LOCKED.test(place)
}

/** Those in `directories`, without what differs from run to run. */
function pathsIn(text: string, directories: string[]): string[] {
  return [...text.matchAll(/["<](\/[^">]*)[">]/g)].flatMap(([, path = '']) => {
    const home = directories.find((directory) => path.startsWith(`${directory}/`))
    return home === undefined ? [] : [withoutChance(path.slice(home.length + 1))]
  })
}

function withoutChance(path: string): string {
  return path
    .replace(/[0-9a-f]{64}/g, 'ID')
    .replace(/[0-9a-f]{32}/g, 'TOKEN')
    .replace(/\/[0-9a-f]{2}(?=\/|$)/g, '/hh')
    .replace(/\.\d{5,}$/, '.N')
}
