/**
 * The command that stands after `--`, run in the foreground: told on the events' channel, and when it could not even be
 * started, we say why, as a shell does.
 */
import { type ChildEnd, type ChildOptions, runToEnd } from '../host/child.js'
import { emit } from '../latch/events.js'

export async function runTold(command: string[], options: ChildOptions): Promise<number> {
  return (await runToldToEnd(command, options)).exitCode
}

export async function runToldToEnd(command: string[], options: ChildOptions): Promise<ChildEnd> {
  const onStart = (pid: number): void => {
    emit({ type: 'child-started', pid, command })
    options.onStart?.(pid)
  }
  const end = await runToEnd(command, { ...options, onStart })
  emit({ type: 'child-ended', exitCode: end.exitCode })
  if (end.problem !== null) process.stderr.write(`cachelatch: ${command[0]}: ${end.problem}\n`)
  return end
}
