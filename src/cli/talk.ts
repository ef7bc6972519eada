/**
 * What `once` and `exec` say on stderr before and after their command runs: whom they wait for, and how far publishing
 * is. Nothing is loaded for it before it is needed: a hit says nothing.
 */
import { describeOwner } from '../core/owner.js'
import type { Wait } from '../lock/locker.js'
import type { SealProgress } from '../store/publish.js'
import { type Progress, describeBytes, startProgress } from './progress.js'

export class Talk {
  #progress: Promise<Progress> | undefined
  #line: (() => string) | undefined

  constructor(readonly quiet: boolean) {}

  /** The first announcement comes after a second: it is said at once. */
  readonly onWait = (wait: Wait): void => {
    const seenAt = performance.now()
    this.#say(() => describeWait(wait, wait.waitedMs + performance.now() - seenAt), 0)
  }

  readonly onProgress = ({ bytes, totalBytes }: SealProgress): void =>
    this.#say(() => `cachelatch: publishing ${describeBytes(bytes, totalBytes)}`)

  /** Before somebody else writes to the terminal. */
  async hide(): Promise<void> {
    this.#line = undefined
    const progress = this.#progress
    this.#progress = undefined
    if (progress) (await progress).hide()
  }

  #say(line: () => string, firstAfterMs?: number): void {
    this.#line = line
    this.#progress ??= startProgress(this.quiet, firstAfterMs)
    void this.#show(this.#progress)
  }

  async #show(progress: Promise<Progress>): Promise<void> {
    const shown = await progress
    if (this.#line && this.#progress === progress) shown.show(this.#line)
  }
}

function describeWait({ owner, verdict, timeoutMs, path }: Wait, waitedMs: number): string {
  const since = owner === null ? '' : ` since ${new Date(owner.since).toISOString()}`
  const state = verdict === 'dead' ? ', which is dead,' : ''
  const limit = Number.isFinite(timeoutMs) ? ` of at most ${seconds(timeoutMs)} (--wait)` : ''
  return `cachelatch: waiting for ${describeOwner(owner)}${state}${since}: ${seconds(waitedMs)}${limit}. Lock: ${path}`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
