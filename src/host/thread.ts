/** A helper thread that answers requests, one reply each, and may send news in between. */
import { Worker, parentPort } from 'node:worker_threads'

interface Envelope {
  id?: number
  reply?: unknown
  error?: { message: string; code?: string }
  news?: unknown
}

export class Thread<Request, News> {
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
    if (error) pending?.reject(Object.assign(new Error(error.message), error.code && { code: error.code }))
    else pending?.resolve(reply)
  }
}

/** The other side: answers every request with what `answer` resolves to. */
export function serve<Request, News>(answer: (request: Request) => Promise<unknown>): (news: News) => void {
  const port = parentPort
  if (port === null) throw new TypeError('serve() is for helper threads.')
  port.on('message', ({ id, request }: { id: number; request: Request }) => {
    answer(request).then(
      (reply) => port.postMessage({ id, reply }),
      (error: NodeJS.ErrnoException) =>
        port.postMessage({ id, error: { message: error.message, code: error.code } }),
    )
  })
  return (news) => port.postMessage({ news })
}
