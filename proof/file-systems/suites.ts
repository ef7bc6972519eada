/** Runs suites of the tests on a file system, in a vitest of its own. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ground } from './grounds.js'

/** From `.build/proof/file-systems`. */
const REPOSITORY = join(import.meta.dirname, '../../..')
const VITEST = join(REPOSITORY, 'node_modules/vitest/vitest.mjs')

export interface Tested {
  /** `in-process`, `payloads` … */
  suite: string
  /** The titles, from the outermost `describe` to the test. */
  titles: string[]
  state: 'passed' | 'failed' | 'skipped'
  /** The first line of why it failed. */
  why?: string
}

export interface Run {
  ground: Ground
  /** Where a disk can be filled. */
  small?: Ground
  /** Below `.build/test/`. */
  suites: string[]
  /** Only tests whose titles this fits. */
  only?: string
}

export async function runSuites({ ground, small, suites, only }: Run): Promise<Tested[]> {
  const directory = mkdtempSync(join(tmpdir(), 'cachelatch-suites-'))
  const report = join(directory, 'report.json')
  const args = [
    VITEST,
    'run',
    '--reporter=json',
    `--outputFile=${report}`,
    ...(only === undefined ? [] : ['-t', only]),
    ...suites.map((suite) => `.build/test/${suite}`),
  ]
  try {
    const said = await new Promise<string>((resolve) =>
      execFile(
        process.execPath,
        args,
        { cwd: REPOSITORY, env: environment(ground, small), maxBuffer: 2 ** 28 },
        (_failed, stdout, stderr) => resolve(stdout + stderr),
      ),
    )
    return readReport(report, said)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function environment(ground: Ground, small?: Ground): NodeJS.ProcessEnv {
  // A vitest that runs inside of another must not take itself for a worker of that one.
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|CACHELATCH_GATE_DIR$|NODE_ENV$)/.test(name),
  )
  return {
    ...Object.fromEntries(own),
    CACHELATCH_TEST_DIR: ground.place,
    ...(ground.other !== undefined && { CACHELATCH_TEST_OTHER_DIR: ground.other }),
    ...(small && { CACHELATCH_TEST_SMALL_DIR: small.place, CACHELATCH_TEST_BALLAST_DIR: small.disk }),
  }
}

interface Report {
  testResults: {
    name: string
    message?: string
    assertionResults: {
      ancestorTitles: string[]
      title: string
      status: string
      failureMessages?: string[]
    }[]
  }[]
}

/** @throws what vitest has said, where it has not come to an end */
function readReport(path: string, said: string): Tested[] {
  let report: Report
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as Report
  } catch (cause) {
    throw new Error(`vitest left no report:\n${said.slice(-4_000)}`, { cause })
  }
  return report.testResults.flatMap(({ name, message, assertionResults }) => {
    const suite = name.replace(/^.*\//, '').replace('.test.js', '')
    if (assertionResults.length === 0 && message)
      return [{ suite, titles: [suite], state: 'failed' as const, why: firstLine(message) }]
    return assertionResults.map(({ ancestorTitles, title, status, failureMessages = [] }): Tested => {
      const titles = [...ancestorTitles, title]
      if (status === 'failed')
        return { suite, titles, state: 'failed', why: firstLine(failureMessages[0] ?? '') }
      return { suite, titles, state: status === 'passed' ? 'passed' : 'skipped' }
    })
  })
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.slice(0, 300)
}
