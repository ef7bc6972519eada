/**
 * A disk of its own, in a file: what is in the file is what has reached the device, and a copy of it is what a power cut
 * leaves. Nothing of the kernel's memory is in it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../support/until.js'

export const TYPES = ['ext4', 'xfs', 'btrfs'] as const
export type Type = (typeof TYPES)[number]

/** The least that mkfs.xfs takes; the file has holes, and hardly anything in it. */
const BYTES = 300 * 1024 * 1024
const TRIES = 20

export class Device {
  readonly #base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cachelatch-device-'))
  readonly #image = join(this.#base, 'image')
  readonly mountPoint = join(this.#base, 'mnt')
  #mounted = this.#image
  /** The block device of `image`, while it is mounted. */
  #loop: string | undefined
  #copies = 0
  /** What the traffic was then. */
  #copied: string | undefined

  constructor(type: Type) {
    mkdirSync(this.mountPoint)
    writeFileSync(this.#image, '')
    truncateSync(this.#image, BYTES)
    run(`mkfs.${type}`, '-q', this.#image)
    this.mount(this.#image)
  }

  mount(image: string): void {
    run('mount', '-o', 'loop', image, this.mountPoint)
    this.#mounted = image
  }

  /**
   * Resolves when the file system is gone from the kernel: another process that has copied the table of mounts (a
   * container) keeps it there, and neither xfs nor btrfs takes a copy of it beside it.
   */
  async unmount(): Promise<void> {
    run('umount', this.mountPoint)
    await until('the device is let go', () => loopOf(this.#mounted) === undefined)
  }

  /** Brings all there is to the device. */
  sync(): void {
    run('sync', '-f', this.mountPoint)
  }

  /**
   * What is on the device in this moment; `null`: there was no moment in which nothing was on its way to it.
   *   we: copy the beginning     the kernel: writes to the beginning, waits, writes to the end     we: copy the end
   * would be a disk that forgets what it has confirmed. Nothing else runs in this thread meanwhile.
   */
  copy(): string | null {
    const path = join(this.#base, `copy-${this.#copies++}`)
    for (let tries = 0; tries < TRIES; tries++) {
      const before = this.#traffic()
      run('cp', '--sparse=always', this.#image, path)
      if (before === null || before !== this.#traffic()) continue
      this.#copied = before
      return path
    }
    return null
  }

  /** Whether nothing has reached the device since the last copy: another would be the same. */
  isAsCopied(): boolean {
    return this.#copied !== undefined && this.#copied === this.#traffic()
  }

  /** Tells whether anything was written between two looks; `null`: something is on its way. */
  #traffic(): string | null {
    this.#loop ??= loopOf(this.#image)!
    const fields = readFileSync(`/sys/block/${this.#loop}/stat`, 'utf8').trim().split(/\s+/)
    return fields[IN_FLIGHT] === '0' ? DONE.map((field) => fields[field]).join() : null
  }

  remove(): void {
    // Lazily: what is still open there must not keep the next one from its clean machine.
    spawnSync('umount', ['-l', this.mountPoint], { stdio: 'ignore' })
    rmSync(this.#base, { recursive: true, force: true })
  }
}

/** Linux, Documentation/block/stat.rst; in flight are reads and writes. */
const IN_FLIGHT = 8
/** Writes and discards: how many, and how many sectors. */
const DONE = [4, 6, 11, 13]

/** Its name below /sys/block; `undefined`: there is none. */
function loopOf(image: string): string | undefined {
  return readdirSync('/sys/block').find((name) => {
    const file = `/sys/block/${name}/loop/backing_file`
    return name.startsWith('loop') && existsSync(file) && readFileSync(file, 'utf8').trim() === image
  })
}

/** @throws Error with what it has said on stderr */
function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
