/** `cachelatch status`: who holds what, who waits for it, what crashes have left. */
import { isLatchError } from '../core/errors.js'
import type { StatusReport } from '../core/report.js'
import type { Cache } from '../latch/cache.js'
import { bookkeepingRoot } from '../store/layout.js'
import { defineCommand, readCommandLine, refusePositionals } from './command.js'
import { CACHE, JSON_REPORT, cacheDirectory } from './common-options.js'
import { openExisting } from './existing.js'
import { print, printJson } from './render.js'
import { describeStatus } from './status-text.js'

export const command = defineCommand({
  name: 'status',
  usage: '[OPTIONS]',
  summary: 'who holds a lock or a slot, who waits and for how long, what crashes have left',
  about: `Only looks: no lock is tried, so nobody is held up. Who waits is shown after a second. On Linux, a kernel lock is
    shown as that of the process that keeps it just now, also when the one that took it was killed; processes of other
    users and containers are shown as they have written themselves down.

    With --watch it goes on, redrawn every second on a terminal, until Ctrl-C, which ends it with 0. Where there is no
    terminal, it prints anew whenever something has changed.`,
  options: {
    watch: { short: 'w', text: 'go on until Ctrl-C' },
    ...JSON_REPORT,
    ...CACHE,
  },
  report: 'StatusReport',
  examples: ['cachelatch status', 'cachelatch status --watch'],
})

export async function run(args: string[]): Promise<number> {
  const line = await readCommandLine(command, args)
  if (line === null) return 0
  const { values, positionals } = line
  refusePositionals(command, positionals)
  const cache = await openCacheOrBooks(values.cache)
  const show = (report: StatusReport): Promise<void> =>
    values.json ? printJson(report) : print(describeStatus(report))
  if (!values.watch) {
    await show(await cache.status())
    return 0
  }
  const { watchStatus } = await import('./watch.js')
  // Some terminals say that they have no columns at all: there is nowhere to draw.
  const isTerminal = process.stdout.isTTY && process.stdout.columns > 0
  await watchStatus(cache, show, isTerminal && !values.json)
  return 0
}

/** Where only `exec` was used, there are locks and no cache. @throws LatchError NO_CACHE */
async function openCacheOrBooks(option: string | undefined): Promise<Cache> {
  try {
    return await openExisting(option)
  } catch (error) {
    if (!isLatchError(error, 'NO_CACHE')) throw error
    return openExisting(bookkeepingRoot(cacheDirectory(option))).catch(() => Promise.reject(error))
  }
}
