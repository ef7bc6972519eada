/** A helper thread that answers requests, one reply each, and may send news in between. */
import { Worker, parentPort } from 'node:worker_threads'
import { LatchError, type LatchErrorCode } from '../core/errors.js'

interface Envelope {
  id?: number
  reply?: unknown
  error?: PlainError
  news?: unknown
}

interface PlainError {
  message: string
  code?: string
  /** Of a LatchError. */
  hint?: string
  path?: string
}

export interface Thread<Request> {
  ask(request: Request): Promise<unknown>
}

export type StartThread = <Request, News>(
  file: URL,
  onNews: (news: News) => void,
  onDeath: (error: Error) => void,
) => Thread<Request>

/** Runs `file`, which is to call `serve`. */
export const startThread: StartThread = (file, onNews, onDeath) => new HelperThread(file, onNews, onDeath)

class HelperThread<Request, News> implements Thread<Request> {
  readonly #worker: Worker
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #nextId = 0

  constructor(file: URL, onNews: (news: News) => void, onDeath: (error: Error) => void) {
    this.#worker = new Worker(file)
    // The thread keeps the process alive only while somebody waits for an answer.
    this.#worker.unref()
    this.#worker.on('message', (envelope: Envelope) => {
      if (envelope.id === undefined) onNews(envelope.news as News)
      else this.#settle(envelope.id, envelope)
    })
    this.#worker.on('error', (error) => {
      for (const id of this.#pending.keys()) this.#settle(id, { error: { message: error.message } })
      onDeath(error)
    })
  }

  ask(request: Request): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage({ id, request })
    })
  }

  #settle(id: number, { reply, error }: Envelope): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker.unref()
    if (error) pending?.reject(revive(error))
    else pending?.resolve(reply)
  }
}

function revive({ message, code, hint, path }: PlainError): Error {
  if (hint !== undefined) {
    const place = path === undefined ? {} : { path }
    return new LatchError(code as LatchErrorCode, message, { hint, ...place })
  }
  return Object.assign(new Error(message), code !== undefined && { code })
}

/** The other side: answers every request with what `answer` resolves to. */
export function serve<Request, News>(answer: (request: Request) => Promise<unknown>): (news: News) => void {
  const port = parentPort
  if (port === null) throw new TypeError('serve() is for helper threads.')
  port.on('message', ({ id, request }: { id: number; request: Request }) => {
    answer(request).then(
      (reply) => port.postMessage({ id, reply }),
      ({ message, code, hint, path }: PlainError) =>
        port.postMessage({ id, error: { message, code, hint, path } }),
    )
  })
  return (news) => port.postMessage({ news })
}
