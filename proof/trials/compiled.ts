/** One source file as JavaScript, within a millisecond: its types are not looked at. */
import { transformSync } from 'rolldown/utils'

/** @throws where it is no TypeScript */
export function compiled(file: string, text: string): string {
  const { code, errors } = transformSync(file, text, {
    target: 'es2023',
    typescript: { onlyRemoveTypeImports: true },
  })
  if (errors.length > 0)
    throw new Error(`src/${file} does not compile: ${errors.map(({ message }) => message).join('; ')}`)
  return code
}
