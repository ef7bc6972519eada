/** What is in a directory, for looking at what was left. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Everything below `directory`, sorted; nothing where it is missing. */
export function below(directory: string): string[] {
  try {
    return (readdirSync(directory, { recursive: true }) as string[]).sort()
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
    ...readdirSync(root).filter((name) => name.startsWith('.')),
  ]
}
