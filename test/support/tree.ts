/** What is in a directory, for looking at what was left. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Everything below `directory`, or what is right in it, sorted; nothing where it is missing. */
export function below(directory: string, recursive = true): string[] {
  try {
    return (readdirSync(directory, { recursive }) as string[]).sort()
  } catch {
    return []
  }
}

/** What an operation may have left in a cache: stages, trash, drafts, candidates and records of locks. */
export function leftIn(root: string): string[] {
  const top = join(root, 'v1')
  return [
    ...below(join(top, 'stage')),
    ...below(join(top, 'trash')),
    ...below(join(top, 'pins')),
    ...below(join(top, 'locks')).filter((name) => !name.endsWith('.lock')),
    ...below(root, false).filter((name) => name.startsWith('.')),
  ]
}
