/** A command run in the foreground, and told on the events' channel. */
import { type ChildOptions, runChild } from '../host/child.js'
import { emit } from '../latch/events.js'

export async function runTold(command: string[], options: ChildOptions): Promise<number> {
  const onStart = (pid: number): void => emit({ type: 'child-started', pid, command })
  const exitCode = await runChild(command, { ...options, onStart })
  emit({ type: 'child-ended', exitCode })
  return exitCode
}
