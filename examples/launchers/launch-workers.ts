/** `run` as a function: workers in slots of their own, told apart by CACHELATCH_WORKER, and waited for. */
import { launchWorkers } from 'cachelatch'

const [cache = '/tmp/cachelatch-example', ...command] = process.argv.slice(2)
const ended = await launchWorkers({
  command: command.length > 0 ? command : [process.execPath, '-p', 'process.env.NODE_COMPILE_CACHE'],
  count: 4,
  cache,
  presets: ['node'],
  onEvent: (event) => console.error(event.type, event.worker),
})
process.exitCode = Math.max(...ended.map(({ exitCode }) => exitCode))
