/**
 * A process of a Runner: runs tests with vitest's own runner, one order after another, each time on fresh modules. It
 * saves what a run of vitest costs before its first test, which is ten times what most of these tests cost.
 */
import { register } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type File, type Task, type Test, type VitestRunner, startTests } from '@vitest/runner'
import type { Order, Ran, Result } from './runner.js'

register(new URL('./fresh-modules.js', import.meta.url))

let trial = 0
/** What no test has awaited. */
let stray: string[] = []
process.on('uncaughtException', (error) => stray.push(String(error)))
process.on('unhandledRejection', (reason) => stray.push(String(reason)))
process.on('message', (order: Order) => void run(order).then((result) => process.send!(result)))

async function run({ root, files, names, testLimitMs }: Order): Promise<Result> {
  trial++
  stray = []
  let hasFailed = false
  const runner: VitestRunner = {
    config: {
      root,
      name: undefined,
      setupFiles: [],
      passWithNoTests: true,
      testNamePattern: names === null ? undefined : new RegExp(names),
      allowOnly: false,
      sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: testLimitMs,
      hookTimeout: testLimitMs,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: (path) => import(`${pathToFileURL(path).href}?trial=${trial}`) as Promise<unknown>,
    // One that fails is enough.
    onBeforeRunTask: (test) => {
      if (hasFailed) test.mode = 'skip'
    },
    onAfterRunTask: (test) => {
      if (test.result?.state === 'fail') hasFailed = true
    },
  }
  const paths = files.map((file) => join(root, '.build/test', `${file}.test.js`))
  const ran = await startTests(paths, runner)
  return {
    tests: ran.flatMap((file) => testsIn(file)).map(asRan),
    broken: [...ran.flatMap(brokenFile), ...stray],
  }
}

function asRan(test: Test): Ran {
  const { state, duration = 0 } = test.result ?? {}
  return {
    name: fullName(test),
    state: state === 'pass' || state === 'fail' ? state : 'skip',
    elapsedMs: duration,
  }
}

function testsIn(task: Task): Test[] {
  return task.type === 'suite' ? task.tasks.flatMap(testsIn) : [task]
}

function fullName({ name, suite }: Task): string {
  return suite === undefined || suite === suite.file ? name : `${fullName(suite)} ${name}`
}

/** One that could not be imported, or whose hooks threw. */
function brokenFile({ name, result }: File): string[] {
  return (result?.errors ?? []).map(({ message }) => `${name}: ${message}`)
}
