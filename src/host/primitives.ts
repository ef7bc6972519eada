/**
 * What a file system must be able to do for a cache, and what is merely better to have: each of it is tried for real,
 * in an empty directory, and nothing is concluded from a name. Calls may hang, so all this runs in a prober.
 */
import fs from 'node:fs'
import { errnoOf, isErrno } from './disk-errors.js'
import { loadNative } from './native.js'

export interface Primitive {
  title: string
  /** `must`: a cache that lacks it is not safe, or does not work at all. */
  need: 'must' | 'better'
  /** What it means that it is lacking; of a `must`, what to do. */
  without: string
  /** Resolves to what was found, in few words. @throws errno errors, and Lacking */
  attempt(directory: string): string
}

/** It can be called, and does something else. */
class Lacking extends Error {}

const ELSEWHERE = 'No cache is safe here: use another file system.'
/** `<64 hex>.<32 hex>.held-<32 hex>`, a candidate for a pin's network lock, is the longest of our names. */
const LONGEST_NAME = 135

const write = (path: string, text: string): void => fs.writeFileSync(path, text, { flag: 'wx' })

export const PRIMITIVES = {
  'exclusive-create': {
    title: 'exclusive creation',
    need: 'must',
    without: ELSEWHERE,
    attempt(directory) {
      write(`${directory}/file`, '')
      expectRefusal(() => write(`${directory}/file`, ''), 'a file was created twice', 'EEXIST')
      fs.mkdirSync(`${directory}/sub`)
      expectRefusal(() => fs.mkdirSync(`${directory}/sub`), 'a directory was made twice', 'EEXIST')
      return 'a second one is refused'
    },
  },
  'rename-directory': {
    title: 'renaming a directory',
    need: 'must',
    without: 'Nothing can be published: use a directory that is wholly on one file system.',
    attempt(directory) {
      full(`${directory}/stage`)
      fs.renameSync(`${directory}/stage`, `${directory}/entry`)
      return expectText(`${directory}/entry/file`, 'whole', 'what is in it is another thing afterwards')
    },
  },
  'rename-refused': {
    title: 'renaming onto a directory with something in it',
    need: 'must',
    without: `A second publisher would replace an entry that others are reading. ${ELSEWHERE}`,
    attempt(directory) {
      full(`${directory}/first`)
      full(`${directory}/second`)
      const onto = (): void => fs.renameSync(`${directory}/second`, `${directory}/first`)
      expectRefusal(onto, 'it was replaced', 'ENOTEMPTY', 'EEXIST')
      return 'is refused'
    },
  },
  'replace-file': {
    title: 'replacing a file by rename',
    need: 'must',
    without: ELSEWHERE,
    attempt(directory) {
      write(`${directory}/old`, 'old')
      write(`${directory}/new`, 'new')
      fs.renameSync(`${directory}/new`, `${directory}/old`)
      return expectText(`${directory}/old`, 'new', 'the old one is still there')
    },
  },
  fsync: {
    title: 'fsync of files and directories',
    need: 'must',
    without: 'Publishing waits for the device and fails here: use another file system.',
    attempt(directory) {
      write(`${directory}/file`, 'x'.repeat(4096))
      // Opened as a publisher does.
      for (const path of [`${directory}/file`, directory]) syncPath(path)
      return 'the device answers'
    },
  },
  'no-follow': {
    title: 'not following links',
    need: 'must',
    without: 'A link that another user plants in the cache would be followed: use another file system.',
    attempt(directory) {
      write(`${directory}/file`, '')
      try {
        fs.symlinkSync('file', `${directory}/link`)
      } catch {
        return 'there are no links here'
      }
      const open = (): void => fs.closeSync(fs.openSync(`${directory}/link`, fs.constants.O_NOFOLLOW))
      expectRefusal(open, 'a link was opened in spite of O_NOFOLLOW', 'ELOOP', 'EMLINK')
      return 'is kept'
    },
  },
  names: {
    title: 'long names',
    need: 'must',
    without: `Names of ${LONGEST_NAME} characters are needed: use another file system.`,
    attempt(directory) {
      write(`${directory}/${'n'.repeat(LONGEST_NAME)}`, '')
      for (const length of [255, 143]) if (canName(directory, length)) return `${length} characters`
      return `${LONGEST_NAME} characters`
    },
  },
  exchange: {
    title: 'exchanging two directories',
    need: 'better',
    without: 'writeDirectory replaces a directory in two steps, and a reader may find none in between',
    attempt(directory) {
      full(`${directory}/a`)
      fs.mkdirSync(`${directory}/b`)
      if (!loadNative()?.exchange(`${directory}/a`, `${directory}/b`))
        throw new Lacking('renameat2 is not to be had')
      return expectText(`${directory}/b/file`, 'whole', 'it did not exchange them')
    },
  },
  'hard-links': {
    title: 'hard links',
    need: 'better',
    without: 'of two that complete a half-made cache at once, one reads its format again',
    attempt(directory) {
      write(`${directory}/a`, '')
      fs.linkSync(`${directory}/a`, `${directory}/b`)
      expectRefusal(() => fs.linkSync(`${directory}/a`, `${directory}/b`), 'a link replaced a file', 'EEXIST')
      return 'are there'
    },
  },
  symlinks: {
    title: 'symbolic links',
    need: 'better',
    without: 'a build that leaves links cannot be published',
    attempt(directory) {
      fs.symlinkSync('target', `${directory}/link`)
      if (fs.readlinkSync(`${directory}/link`) !== 'target') throw new Lacking('a link reads as another')
      return 'are there'
    },
  },
  reflinks: {
    title: 'copies that share their blocks',
    need: 'better',
    without: 'files are copied byte by byte',
    attempt(directory) {
      write(`${directory}/a`, 'x'.repeat(4096))
      fs.copyFileSync(`${directory}/a`, `${directory}/b`, fs.constants.COPYFILE_FICLONE_FORCE)
      return 'are there: a copy costs next to nothing'
    },
  },
  'unlink-open': {
    title: 'removing a file that is open',
    need: 'better',
    without: 'a hidden file stays until it is closed: what cannot be removed at once is left for gc',
    attempt(directory) {
      fs.mkdirSync(`${directory}/sub`)
      const fd = fs.openSync(`${directory}/sub/file`, 'wx')
      try {
        fs.unlinkSync(`${directory}/sub/file`)
        fs.rmdirSync(`${directory}/sub`)
      } finally {
        fs.closeSync(fd)
      }
      return 'leaves nothing behind'
    },
  },
  times: {
    title: 'times of files',
    need: 'better',
    without: 'the last use is known no closer',
    attempt(directory) {
      write(`${directory}/file`, '')
      fs.utimesSync(`${directory}/file`, 1e9 + 0.123456, 1e9 + 0.123456)
      const { mtimeMs } = fs.statSync(`${directory}/file`)
      if (Math.abs(mtimeMs - 1e12) > 2_000) throw new Lacking('a time that was set is another afterwards')
      if (mtimeMs % 1000 === 0) throw new Lacking('they are kept in seconds')
      return 'are kept to the millisecond or better'
    },
  },
  case: {
    title: 'upper and lower case',
    need: 'better',
    without: 'a build whose files differ only in case loses one of them',
    attempt(directory) {
      write(`${directory}/CaSe`, '')
      if (fs.existsSync(`${directory}/cAsE`)) throw new Lacking('names that differ only in case are one')
      return 'are told apart'
    },
  },
} as const satisfies Record<string, Primitive>

export type PrimitiveName = keyof typeof PRIMITIVES

export type Trial = { can: true; detail: string } | { can: false; detail: string; errno: string | null }

/** Tries one, in a directory of its own below `directory`. */
export function tryPrimitive(name: PrimitiveName, directory: string): Trial {
  const own = `${directory}/${name}`
  try {
    fs.mkdirSync(own)
    return { can: true, detail: PRIMITIVES[name].attempt(own) }
  } catch (error) {
    if (error instanceof Lacking) return { can: false, detail: error.message, errno: null }
    const errno = errnoOf(error)
    if (errno === undefined) throw error
    return { can: false, detail: `it fails with ${errno}`, errno }
  }
}

/** One entry of one small file, from the first byte to the name that is safe on the device, in milliseconds. */
export function timePublish(directory: string): number {
  const started = performance.now()
  full(`${directory}/timed-stage`)
  for (const path of [`${directory}/timed-stage/file`, `${directory}/timed-stage`]) syncPath(path)
  fs.renameSync(`${directory}/timed-stage`, `${directory}/timed`)
  syncPath(directory)
  return performance.now() - started
}

/** By how many milliseconds the clock that stamps files is ahead of ours; 0 where the difference may be rounding. */
export function clockSkew(directory: string): number {
  const path = `${directory}/clock`
  const before = Date.now()
  write(path, 'x')
  syncPath(path)
  const { mtimeMs } = fs.statSync(path)
  const skewMs = mtimeMs > Date.now() ? mtimeMs - Date.now() : Math.min(0, mtimeMs - before)
  return Math.abs(skewMs) < STAMP_MS ? 0 : skewMs
}

/** Local kernels stamp with the time of their last tick; some servers in whole seconds, two at worst. */
const STAMP_MS = 2_000

function syncPath(path: string): void {
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function full(path: string): void {
  fs.mkdirSync(path)
  write(`${path}/file`, 'whole')
}

function canName(directory: string, length: number): boolean {
  try {
    write(`${directory}/${'m'.repeat(length)}`, '')
    return true
  } catch {
    return false
  }
}

function expectRefusal(call: () => void, otherwise: string, ...codes: string[]): void {
  try {
    call()
  } catch (error) {
    if (isErrno(error, ...codes)) return
    throw error
  }
  throw new Lacking(otherwise)
}

function expectText(path: string, text: string, otherwise: string): string {
  if (fs.readFileSync(path, 'utf8') !== text) throw new Lacking(otherwise)
  return 'works'
}
