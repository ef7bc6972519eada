/**
 * The process in which doctor touches the patient: all that may hang, and all that takes two processes. The probing
 * directory that it makes goes when doctor does, however that ends.
 */
import { basename, dirname, join } from 'node:path'
import { realDirectory } from '../host/directories.js'
import { pooledDisk as disk } from '../host/disk.js'
import { isErrno, orElse } from '../host/disk-errors.js'
import { hasFlockCommand } from '../host/flock-command.js'
import { realHost } from '../host/host.js'
import { clockSkew, timePublish, tryPrimitive } from '../host/primitives.js'
import { serveProber } from '../host/prober.js'
import { lookAround, permissionsOf } from '../host/situation.js'
import { removeTree } from '../host/trees.js'
import { type Choice, chooseByType, chooseLocker } from '../lock/choose.js'
import { assertInside, listInside } from '../store/inside.js'
import { Layout } from '../store/layout.js'
import { contender } from './contender.js'
import { lookInto } from './contents.js'

const PROBE = /^(?:\.probe-)?[0-9a-f]{32}$/

const host = realHost()
let scratch: string | undefined

const commands = {
  ...contender(host),
  lookAround,
  tryPrimitive,
  timePublish,
  clockSkew,
  permissions(root: string) {
    const layout = new Layout(root)
    return permissionsOf([layout.root, layout.top, ...layout.directories])
  },
  contents: (root: string) => lookInto(host, new Layout(root)),
  machine: async () => ({ koffi: host.native !== null, flockCommand: await hasFlockCommand() }),

  /** @param empty a directory to probe in; `null`: nothing can be written, so by the file system's type alone */
  choose: (root: string, empty: string | null): Promise<Choice> =>
    empty === null ? chooseByType(host, root) : chooseLocker(host, disk, empty),

  /** In the cache's root, else among its stages: in both, gc finds what stays behind. @throws errno errors */
  async makeScratch(root: string): Promise<string> {
    const token = host.processes.token()
    const places = [`${root}/.probe-${token}`, new Layout(root).staged(token)] as const
    try {
      await disk.mkdir(places[0])
      scratch = places[0]
    } catch (error) {
      if (!isErrno(error, 'EACCES', 'EPERM')) throw error
      await makeInside(places[1]).catch(() => {
        throw error
      })
      scratch = places[1]
    }
    return scratch
  },
  /** The probing directory of a doctor that waits for another host; `null`: none does. */
  async findWaiting(root: string): Promise<string | null> {
    for (const directory of [root, new Layout(root).stage]) {
      for (const { name } of await listInside(disk, directory)) {
        const path = `${directory}/${name}`
        if (PROBE.test(name) && (await orElse(disk.lstat(`${path}/held`), null, 'ENOENT')) !== null)
          return path
      }
    }
    return null
  },
  touch: (path: string) => disk.utimes(path, host.clock.wallTime() / 1000),
  remove,
}

export type ProberCommands = typeof commands

serveProber(commands, removeScratch)

async function removeScratch(): Promise<void> {
  if (scratch !== undefined) await remove(scratch)
  scratch = undefined
}

async function makeInside(directory: string): Promise<void> {
  await assertInside(disk, directory)
  await disk.mkdir(directory)
}

const MAX_TRIES = 20
const PAUSE_MS = 50

/** Patiently: a FUSE file system shows a deleted file until it has heard that it was closed. */
async function remove(path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await removeTree(join(realDirectory(dirname(path)), basename(path)))
    } catch (error) {
      if (tries === MAX_TRIES) throw error
      await host.clock.sleep(PAUSE_MS)
    }
  }
}
