/** The processes of a soak, and what is done to them. All are ours, and end with us. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { childrenOf } from '../../test/support/proc.js'
import type { Account } from './witness.js'
import type { Place, World } from './worlds.js'

export interface Kills {
  workers: number
  helpers: number
  stops: number
}

export class Crew {
  readonly kills: Kills = { workers: 0, helpers: 0, stops: 0 }
  readonly #workers: Worker[] = []
  readonly #env: NodeJS.ProcessEnv
  readonly #socket: string
  #said = ''
  #started = 0

  private constructor(
    private readonly place: Place,
    private readonly witness: ChildProcess,
    private readonly seed: number,
  ) {
    this.#socket = socketIn(place)
    this.#env = {
      ...process.env,
      TMPDIR: join(place.home, 'tmp'),
      CACHELATCH_GATE_DIR: join(place.home, 'gates'),
      // A cache that is full is told of, as it should be: a thousand times.
      NODE_NO_WARNINGS: '1',
    }
    process.once('exit', () => this.end())
  }

  /** Resolves when somebody listens. */
  static async gather(place: Place, seed: number): Promise<Crew> {
    const args = [socketIn(place), JSON.stringify(place.worlds)]
    const witness = fork(join(import.meta.dirname, 'witness.js'), args)
    await answerOf(witness)
    return new Crew(place, witness, seed)
  }

  /** In the worlds by turns. */
  start(): void {
    const number = this.#started++
    const world = this.place.worlds[number % this.place.worlds.length]!
    const args = [this.#socket, JSON.stringify(world), String((this.seed + number * 7919) >>> 0)]
    const child = fork(join(import.meta.dirname, 'worker.js'), args, { env: this.#env, silent: true })
    child.stderr!.on('data', (text: Buffer) => (this.#said += String(text)))
    const worker: Worker = { child, world, isStopped: false }
    this.#workers.push(worker)
    child.once('exit', () => this.#workers.splice(this.#workers.indexOf(worker), 1))
  }

  get size(): number {
    return this.#workers.length
  }

  /** What workers have said on stderr: nothing, unless one of them has broken down. */
  get said(): string {
    return this.#said
  }

  /** @param chance in [0, 1) */
  kill(chance: number): void {
    this.#some(chance)?.child.kill('SIGKILL')
    this.kills.workers++
  }

  /** For `ms`, also longer than others wait for its heart to beat. */
  stop(chance: number, ms: number): void {
    const worker = this.#some(chance)
    if (worker === undefined || worker.isStopped) return
    worker.isStopped = true
    worker.child.kill('SIGSTOP')
    this.kills.stops++
    setTimeout(() => {
      worker.isStopped = false
      worker.child.kill('SIGCONT')
    }, ms)
  }

  /** flock(1), in which a worker waits. */
  killHelper(chance: number): void {
    const helpers = this.#workers.flatMap(({ child }) => childrenOf(child.pid!))
    const helper = helpers[Math.floor(chance * helpers.length)]
    if (helper === undefined) return
    try {
      process.kill(helper.pid, 'SIGKILL')
      this.kills.helpers++
    } catch {
      // It has its lock, and is gone.
    }
  }

  /** All finish what they are doing. */
  tellToStop(): void {
    for (const { child } of this.#workers) {
      child.kill('SIGCONT')
      if (child.connected) child.send('stop', () => undefined)
    }
  }

  account(): Promise<Account> {
    this.witness.send('account')
    return answerOf(this.witness) as Promise<Account>
  }

  end(): void {
    for (const { child } of this.#workers) child.kill('SIGKILL')
    this.witness.kill('SIGKILL')
  }

  #some(chance: number): Worker | undefined {
    return this.#workers[Math.floor(chance * this.#workers.length)]
  }
}

interface Worker {
  child: ChildProcess
  world: World
  isStopped: boolean
}

const socketIn = ({ home }: Place): string => join(home, 'witness.sock')

function answerOf(witness: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('The witness is gone'))
    witness.once('exit', gone)
    witness.once('message', (answer) => {
      witness.off('exit', gone)
      resolve(answer)
    })
  })
}
