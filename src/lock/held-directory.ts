/**
 * A lock made of two operations that every file system makes atomic on the server: a directory that is not empty
 * cannot be replaced by rename, and a name can be unlinked once.
 *
 * `<path>.held/` contains one file, named by its holder's random token.
 *   take:      a private directory that already contains the token is renamed to `<path>.held`: this succeeds
 *              where there is none, or an empty one, and fails where there is a holder.
 *   release:   unlink `<path>.held/<own token>`, then remove the empty directory if nobody was faster.
 *   take over: unlink `<path>.held/<token that was seen to be stale>`, then take, like everybody.
 *
 * Why this cannot go wrong as "stat, rmdir, mkdir" does (two holders in 57 % of trials with 16 contenders, FACTS §2):
 *   A: sees the stale token S      B: sees the stale token S
 *   A: unlinks S, takes with A
 *                                  B: unlinks S: ENOENT. B has removed nothing, and A stays the holder.
 * The comparison with the token and the removal are one system call, and there is no moment in which a holder's
 * directory exists without its token. Age and inode prove nothing and are not looked at.
 */
import { LatchError } from '../core/errors.js'
import type { Disk } from '../host/disk.js'
import { attempt, isErrno, orElse } from '../host/disk-errors.js'

const TOKEN = /^[0-9a-f]{32}$/

export class HeldDirectory {
  readonly path: string

  constructor(
    readonly disk: Disk,
    lockPath: string,
  ) {
    this.path = `${lockPath}.held`
  }

  tokenPath(token: string): string {
    return `${this.path}/${token}`
  }

  /** The holder's token; `null` when nobody holds the lock. */
  async holder(): Promise<string | null> {
    const token = (await this.#names()).find((name) => TOKEN.test(name)) ?? null
    // A link that came meanwhile: nothing behind it is ours to wait for, let alone to remove.
    if (token !== null && (await this.#isLink())) throw this.#unsafe()
    // sshfs remembers a listing for 20 s, in which the lock may have been released on another host: opening asks.
    return token !== null && (await this.heartbeat(token)) === null ? null : token
  }

  /** Of what is not somebody else's directory: so a link is looked for first. */
  async #names(): Promise<string[]> {
    try {
      if (await this.#isLink()) throw this.#unsafe()
      return (await orElse(this.disk.readdir(this.path), [], 'ENOENT', 'ESTALE')).map(({ name }) => name)
    } catch (error) {
      throw isErrno(error, 'ENOTDIR', 'ELOOP') ? this.#unsafe(error) : error
    }
  }

  async #isLink(): Promise<boolean> {
    return (await orElse(this.disk.lstat(this.path), null, 'ENOENT', 'ESTALE'))?.isSymbolicLink() ?? false
  }

  /** `false`: somebody else holds it. */
  async take(token: string): Promise<boolean> {
    const candidate = `${this.path}-${token}`
    await this.disk.mkdir(candidate)
    try {
      await this.disk.close(await this.disk.createExclusive(`${candidate}/${token}`, 0o666))
      await this.disk.rename(candidate, this.path)
      return true
    } catch (error) {
      // A server may have carried out a rename whose answer was lost.
      if (await this.isHeldBy(token)) return true
      await attempt(this.disk.unlink(`${candidate}/${token}`))
      await attempt(this.disk.rmdir(candidate))
      // ENOENT: gc, with hardly any grace time, took the candidate for one that a crash has left.
      if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOENT')) return false
      throw isErrno(error, 'ENOTDIR', 'ELOOP') ? this.#unsafe(error) : error
    }
  }

  #unsafe(cause?: unknown): LatchError {
    return new LatchError(
      'UNSAFE_PATH',
      `A lock directory must be a directory, and this is none: ${this.path}`,
      {
        hint: 'Somebody else put it there: look at it, then remove it.',
        path: this.path,
        cause,
      },
    )
  }

  /** Whether `token` was there and now is not, by this call. */
  async remove(token: string): Promise<boolean> {
    const removed = await orElse(
      this.disk.unlink(this.tokenPath(token)).then(() => true),
      false,
      'ENOENT',
    )
    // Not empty: the next holder is in already, or a `.nfs…`/`.fuse_hidden…` file is left. Both do no harm.
    await attempt(this.disk.rmdir(this.path))
    return removed
  }

  async isHeldBy(token: string): Promise<boolean> {
    return (
      (await orElse(this.disk.lstat(this.tokenPath(token)), null, 'ENOENT', 'ENOTDIR', 'ESTALE')) !== null
    )
  }

  /** When the holder's heart beat last, on whatever clock; `null` when this token is no longer there. */
  async heartbeat(token: string): Promise<number | null> {
    // Opened, not just looked at: NFS promises fresh attributes on open, and caches them for stat.
    const fd = await orElse(this.disk.openRead(this.tokenPath(token)), null, 'ENOENT', 'ESTALE')
    if (fd === null) return null
    try {
      // Removed since, on another host.
      return (await orElse(this.disk.fstat(fd), null, 'ENOENT', 'ESTALE'))?.mtimeMs ?? null
    } finally {
      await this.disk.close(fd)
    }
  }
}
