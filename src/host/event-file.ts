/**
 * A file to which many processes append lines. Each line is one write(2) with O_APPEND: local file systems write it
 * whole, at the end as it is then, because they hold the inode's lock from finding the end to having written
 * (ext4, xfs, btrfs, tmpfs; POSIX asks for it). NFS has no append: there two hosts may write over each other, and
 * each of them better has a file of its own.
 */
import fs from 'node:fs'
import { messageOf } from '../core/errors.js'
import { warn } from './warning.js'

// Non-blocking: a FIFO that nobody reads must not hold a worker up.
const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = fs.constants
const OPEN_APPEND = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK

export class EventFile {
  #fd: number | null = null
  #warned = false
  /** The end of the file may be a piece of ours: what comes next begins a line of its own. */
  #torn = false

  constructor(readonly path: string) {
    this.#try(() => {
      this.#fd = fs.openSync(path, OPEN_APPEND, 0o666)
    })
  }

  /**
   * In the calling thread, so that it is there when the process is killed right after. Never throws: the work matters
   * more than its record.
   */
  append(line: string): void {
    const fd = this.#fd
    if (fd === null) return
    this.#try(() => {
      const bytes = Buffer.from(`${this.#torn ? '\n' : ''}${line}\n`)
      const written = fs.writeSync(fd, bytes)
      this.#torn = written < bytes.length
      if (this.#torn) throw new Error(`only ${written} of ${bytes.length} bytes were written`)
    })
  }

  #try(step: () => void): void {
    try {
      step()
    } catch (error) {
      if (this.#warned) return
      this.#warned = true
      warn(`Events cannot be recorded, some or all will be missing: ${messageOf(error)}`, 'CACHELATCH_EVENTS')
    }
  }
}
