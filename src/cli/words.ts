/** What was written by others, or for programs, in words for a terminal. */

/** Nothing that moves the cursor, or writes backwards. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '�')
}

/** Where it needs no quotes to be understood. */
const PLAIN = /^[\w.,:;/+@%-]+$/

/** `model=llama dtype=bf16` for a key of plain parts; any other as its canonical JSON. */
export function readableKey(canonical: string): string {
  let key: unknown
  try {
    key = JSON.parse(canonical)
  } catch {
    return printable(canonical) // Shortened.
  }
  if (typeof key === 'string' && PLAIN.test(key)) return key
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return printable(canonical)
  const parts = Object.entries(key).map(([name, value]) => [name, String(value)])
  const isPlain = parts.length > 0 && parts.flat().every((part) => PLAIN.test(part))
  return isPlain ? parts.map((part) => part.join('=')).join(' ') : printable(canonical)
}
