/** Runs the command that stands after `--`, and says why when it could not even be started, as a shell does. */
import { type ChildEnd, type ChildOptions, runToEnd } from '../host/child.js'

export async function runInForeground(child: string[], options: ChildOptions): Promise<ChildEnd> {
  const end = await runToEnd(child, options)
  if (end.problem !== null) process.stderr.write(`cachelatch: ${child[0]}: ${end.problem}\n`)
  return end
}
