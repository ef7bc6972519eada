/** What workers tell the witness, a line of JSON each. */
import { type Socket, connect } from 'node:net'

export type Testimony =
  /** `start`: with the pid, who it is. */
  | { tell: 'hello'; pid: number; start: string }
  /** About to do it. */
  | { tell: 'begins'; operation: string }
  | { tell: 'done'; operation: string; outcome: string }
  | { tell: 'violation'; what: string }
  /**
   * Inside a lock, or in a slot. Times are by `process.hrtime`, which all processes of a host share, in µs.
   * `wasSure`: the lock says that nobody else can have been inside until then.
   */
  | { tell: 'in'; lock: string; from: number; wasSure: boolean; mustBeAlone: boolean }
  | { tell: 'out'; lock: string; to: number; wasSure: boolean; count: number | null }

export const nowUs = (): number => Number(process.hrtime.bigint() / 1000n)

/** Not by node:readline, which has no use for a connection that is reset: workers are killed in the middle of a word. */
export function onLines(socket: Socket, hear: (line: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    lines.forEach(hear)
  })
}

/** A worker's line to the witness: every word is acknowledged, so what happens after it happens after it for all. */
export class Line {
  readonly #socket: Socket
  readonly #waiting: (() => void)[] = []

  constructor(path: string) {
    this.#socket = connect(path)
    onLines(this.#socket, () => this.#waiting.shift()!())
  }

  tell(testimony: Testimony): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#socket.write(`${JSON.stringify(testimony)}\n`)
    })
  }

  end(): void {
    this.#socket.end()
  }
}
