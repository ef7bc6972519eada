/**
 * Results that describe themselves: two files, each line of which names the build that wrote it. Whatever is short,
 * mixed or torn is recognised, without asking the library.
 */
import { appendFileSync, existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const LINES = 400
const FILES = ['kernel.bin', 'weights.bin']

/** @param pause called in the middle of each file, and between them */
export function writeCandidate(
  dir: string,
  name: string,
  pause: (where: string) => void = () => undefined,
): void {
  for (const file of FILES) {
    pause(`before ${file}`)
    appendFileSync(join(dir, file), linesOf(name, file, 0, LINES / 2))
    pause(`in the middle of ${file}`)
    appendFileSync(join(dir, file), linesOf(name, file, LINES / 2, LINES))
  }
  pause('before the end of the build')
}

/** The name of the candidate in the directory. @throws when there is anything but one whole candidate */
export function readCandidate(dir: string): string {
  const found = readdirSync(dir).sort()
  if (found.join() !== FILES.join()) throw new Error(`The files are ${found.join(', ') || 'none'}: ${dir}`)
  const texts = FILES.map((file) => readFileSync(join(dir, file), 'utf8'))
  const name = texts[0]!.slice(0, texts[0]!.indexOf(' '))
  FILES.forEach((file, index) => {
    if (texts[index] !== linesOf(name, file, 0, LINES))
      throw new Error(`${file} is not all of ${name}: ${dir}`)
  })
  return name
}

/** As `readCandidate`, of an entry; `null` while there is none. Not a call of the library's is made. */
export function readEntry(path: string): string | null {
  if (!existsSync(path)) return null
  if (!existsSync(join(path, 'MANIFEST.json')))
    throw new Error(`There is an entry without a manifest: ${path}`)
  return readCandidate(join(path, 'files'))
}

function linesOf(name: string, file: string, from: number, to: number): string {
  let text = ''
  for (let line = from; line < to; line++) text += `${name} ${file} ${line}\n`
  return text
}
