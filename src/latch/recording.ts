/** Whether this process records its events is asked once, when the first root is opened; how, is loaded only then. */
import { eventsFile } from '../host/settings.js'

let asked: Promise<void> | undefined

export function recordIfAsked(): Promise<void> {
  return (asked ??= start(eventsFile()))
}

async function start(file: string | undefined): Promise<void> {
  if (file === undefined) return
  const { record } = await import('./recorder.js')
  record(file)
}
