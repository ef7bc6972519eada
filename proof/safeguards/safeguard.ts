/** A safeguard of the product, as data: where it stands, what stands there once it is removed, and who must notice. */
export interface Safeguard {
  /** What it is: a row of docs/safeguards.md. */
  name: string
  /** What goes wrong without it. */
  harm: string
  /** Below src/. */
  file: string
  /** As it stands in the file, exactly once. */
  code: string
  /** What stands there instead. */
  without: string
  /** One of these fails then. */
  killedBy: Witness[]
  /** Without it, that one waits for ever: not to have ended in good time is to have failed. */
  hangs?: boolean
}

export interface Witness {
  /** Below test/, without `.test.ts`. */
  file: string
  /** A part of the test's name, which begins with those of the groups that it is in. */
  test: string
}

export function witness(file: string, test: string): Witness {
  return { file, test }
}

/** The file without it. @throws where its code does not stand in the file exactly once: the list has rotted */
export function remove({ name, file, code, without }: Safeguard, text: string): string {
  const count = text.split(code).length - 1
  if (count === 1) return text.replace(code, () => without)
  throw new Error(
    `The safeguard “${name}” is not found any more: its code stands ${count} times in src/${file}, not once. ` +
      `Where that has changed, make \`code\` and \`without\` in proof/safeguards/list/ follow it; ` +
      `where the safeguard itself is gone, say why and take it off the list. Looked for:\n${code}`,
  )
}
