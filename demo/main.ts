/** The demo: one compiled model, many workers that need it at once, four ways to share it. */
import { availableParallelism, tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import type { WayResult } from './measure.js'
import { MODEL } from './model.js'
import { render } from './render.js'
import { runWay } from './run-way.js'
import { brokenExpectations } from './verdict.js'
import { ALL_WAYS, WAYS } from './ways.js'
import type { Way } from './ways.js'

const USAGE = `Usage: npm run demo -- [--workers N] [--way N]… [--directory DIR] [--json]

  --workers N      number of worker processes, 1 to 64 (8)
  --way N          only this way; may be given more than once
  --directory DIR  where the cold directories are made, such as a network file system (the system's for
                   temporary files)
  --json           print the measurements as JSON`
const EX_USAGE = 64
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }

type Settings = { workers: number; ways: readonly Way[]; directory: string; json: boolean }

process.exitCode = await main()

async function main(): Promise<number> {
  const settings = settingsFrom(process.argv.slice(2))
  if (settings === USAGE) {
    console.log(USAGE)
    return 0
  }
  if (typeof settings === 'string') {
    console.error(settings)
    return EX_USAGE
  }
  const stop = new AbortController()
  for (const [name, number] of Object.entries(SIGNALS)) process.on(name, () => stop.abort(number))
  try {
    const results = await runAll(settings, stop.signal)
    const problems = results.flatMap(brokenExpectations)
    console.log(settings.json ? asJson(settings, results, problems) : render(results, process.stdout))
    for (const problem of problems) console.error(problem)
    return problems.length > 0 ? 1 : 0
  } catch (error) {
    if (stop.signal.aborted) return 128 + Number(stop.signal.reason)
    console.error(error instanceof Error ? error.message : error)
    return 1
  } finally {
    for (const name of Object.keys(SIGNALS)) process.removeAllListeners(name)
  }
}

async function runAll({ workers, ways, directory }: Settings, signal: AbortSignal): Promise<WayResult[]> {
  const results: WayResult[] = []
  for (const way of ways) {
    console.error(`way ${way}: ${WAYS[way].title}, ${workers} workers …`)
    results.push(await runWay(way, { workers, directory, signal }))
  }
  return results
}

function settingsFrom(args: string[]): Settings | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        workers: { type: 'string', default: '8' },
        way: { type: 'string', multiple: true },
        directory: { type: 'string', default: tmpdir() },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    })
    if (values.help) return USAGE
    const workers = Number(values.workers)
    if (!Number.isInteger(workers) || workers < 1 || workers > 64) return `--workers: 1 to 64\n\n${USAGE}`
    const ways = values.way ? ALL_WAYS.filter((way) => values.way?.includes(String(way))) : ALL_WAYS
    if (values.way?.some((way) => !ALL_WAYS.includes(Number(way) as Way)))
      return `--way: 1, 2, 3 or 4\n\n${USAGE}`
    return { workers, ways, directory: values.directory, json: values.json }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`
  }
}

function asJson({ workers }: Settings, ways: WayResult[], problems: string[]): string {
  const machine = { node: process.version, platform: process.platform, cores: availableParallelism() }
  const model = { name: MODEL.name, layers: MODEL.layers.length }
  return JSON.stringify({ schema: 1, machine, model, workers, ways, problems }, null, 2)
}
