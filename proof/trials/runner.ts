/** Runs tests in a process of its own, which is warm from one run to the next, and is ended where a run does not end. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'

export interface Order {
  /** The copy of the repository that they run in. */
  root: string
  /** Below test/, without `.test.ts`; in this order, until a test fails. */
  files: string[]
  /** Only tests whose names match; all. */
  names: string | null
  testLimitMs: number
}

export interface Result {
  tests: Ran[]
  /** What is wrong beside the tests: a file that cannot be imported, an error that nobody awaits, no end. */
  broken: string[]
}

export interface Ran {
  /** Begins with those of the groups that it is in. */
  name: string
  state: 'pass' | 'fail' | 'skip'
  elapsedMs: number
}

export class Runner {
  readonly #environment: NodeJS.ProcessEnv
  #child: ChildProcess | undefined

  /** @param environment in addition to ours */
  constructor(environment: NodeJS.ProcessEnv = {}) {
    this.#environment = { ...ownEnvironment(), ...environment }
    process.once('exit', this.stop)
  }

  run(order: Order, limitMs: number): Promise<Result> {
    const child = (this.#child ??= this.#start(order.root))
    return new Promise((resolve, reject) => {
      const settle = (result: Result): void => {
        clearTimeout(timer)
        child.removeAllListeners()
        resolve(result)
      }
      const giveUp = (reason: string): void => {
        this.stop()
        settle({ tests: [], broken: [reason] })
      }
      const timer = setTimeout(() => giveUp(`no end within ${limitMs / 1000} s`), limitMs)
      child.once('message', (result) => settle(result as Result))
      child.once('exit', (code, signal) => giveUp(`the process of the tests ended with ${signal ?? code}`))
      child.once('error', reject)
      child.send(order)
    })
  }

  #start(cwd: string): ChildProcess {
    return fork(join(import.meta.dirname, 'run-tests.js'), {
      cwd,
      env: this.#environment,
      detached: true,
      stdio: 'ignore',
    })
  }

  /** With all that it has started: a test that fails in the middle may leave workers behind. */
  readonly stop = (): void => {
    try {
      if (this.#child) process.kill(-this.#child.pid!, 'SIGKILL')
    } catch {
      // Nothing is left of it.
    }
    this.#child = undefined
  }
}

/** Not that of a run of tests in which this may be one. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')))
}
